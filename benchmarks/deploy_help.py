"""Measures the time of `python -m deploy --help` relative to importing boto3.

    python -m benchmarks.deploy_help [--rounds N] [--json OUT]

Both run alternately in separate processes. Exits with 1 if the ratio of the medians exceeds the limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
LIMIT = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    run("-m", "deploy", "--help")
    run("-c", "import boto3")
    rounds = [(run("-m", "deploy", "--help"), run("-c", "import boto3")) for _ in range(options.rounds)]
    ours, peer = (median(column) for column in zip(*rounds, strict=True))
    figures = {"help": {"seconds": ours, "import_boto3": peer, "ratio": ours / peer, "limit": LIMIT}}
    for name, figure in figures.items():
        print(name, "  ".join(f"{key} {value:.2f}" for key, value in figure.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(ours / peer > LIMIT)


def run(*arguments: str) -> float:
    """Seconds of one process."""
    began = time.monotonic()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
