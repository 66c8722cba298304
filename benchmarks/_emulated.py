"""Runs an emulator and the parts of a benchmark in separate processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
"""The environment of `make bench` with the peers, separate from the project's."""


@contextmanager
def emulated(*endpoints: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The environment in which boto3 finds these endpoints."""
    from deploy.local import process
    from deploy.local.commands import variables
    from deploy.local.spec import endpoint_spec

    plan = {"port": 0, "endpoints": [endpoint_spec(given).model_dump(mode="json") for given in endpoints]}
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above) / "state" / "emulator"
        try:
            yield variables(process.start(plan, folder)[0].url, {})
        finally:
            process.stop(folder)


def part(
    module: str, arguments: Sequence[str], environment: dict[str, str], python: str | Path = sys.executable
) -> Any:
    """Run one part of a benchmark in a separate process and return the JSON that it prints."""
    done = subprocess.run(
        [python, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)
