"""`make opensearch`: runs an OpenSearch node for local experiments in .fsi/opensearch. Commands: start, env, stop."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.opensearch_node.process import Node, find, start, stop
from rag.errors import RagError, StoreUnavailable

FOLDER = Path(".fsi/opensearch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit codes: 0 success, 1 failure with an error message, 2 wrong usage, 130 Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "stop":
            print(
                "the OpenSearch node is stopped"
                if stop(FOLDER, remove=options.remove)
                else "no OpenSearch node is running"
            )
        elif options.command == "env":
            _print_settings(_running())
        else:
            _start(options)
    except RagError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _start(options: argparse.Namespace) -> None:
    print("starting an OpenSearch node (the first time, Maven downloads some 100 MB) ...", flush=True)
    if options.wait:  # SIGTERM is handled as Ctrl-C, so that the node is stopped too
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        node = start(FOLDER, port=options.port)
        print(f"OpenSearch {node.version} runs at {node.url} (process {node.pid}); its data is in {FOLDER}")
        print('next: eval "$(python -m deploy.local.opensearch_node env)" && make chat', flush=True)
        while options.wait and find(FOLDER):
            time.sleep(1.0)
    finally:
        if options.wait:
            stop(FOLDER, remove=False)


def _running() -> Node:
    node = find(FOLDER)
    if node is None:
        raise StoreUnavailable("no OpenSearch node is running; start one with `make opensearch`")
    return node


def _print_settings(node: Node) -> None:
    for name, value in {**node.settings, "FSI_OPENSEARCH__PASSWORD": node.password}.items():
        print(f"export {name}={shlex.quote(value)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.opensearch_node", description=__doc__)
    parser.add_argument("command", choices=("start", "env", "stop"))
    parser.add_argument("--port", type=int, default=9200, help="port to listen on (default: %(default)s)")
    parser.add_argument("--wait", action="store_true", help="start: wait for Ctrl-C, then stop the node")
    parser.add_argument("--remove", action="store_true", help="stop: also delete the node's data")
    return parser


if __name__ == "__main__":
    sys.exit(main())
