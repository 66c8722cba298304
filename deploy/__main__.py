"""The command line: `python -m deploy COMMAND`. Exit codes: 0 done, 1 refused or failed with one clear line, 2 wrong usage."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.errors import PackageMissing, RagError

COMMANDS = {
    "plan": "show what `up` would make, change, keep and remove, what it costs, and whether the quotas allow it",
    "up": "create what the stack file names, and wait until it answers; again: change only what differs",
    "status": "show what there is, who made it and what it costs",
    "test": "ask the endpoints and the search server as the chatbot does",
    "env": 'print the settings that make the chatbot use it, for eval "$(python -m deploy env)"',
    "down": "remove it all; nothing is left",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn every RagError into one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        return _aws(options) if options.target == "aws" else _local(options)
    except RagError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as exc:
        print(f"error: {PackageMissing(exc.name)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _aws(options: argparse.Namespace) -> int:
    from deploy import stack as stacks  # heavy: only once the usage is right
    from deploy.aws.cloud import Cloud
    from deploy.aws.commands import Deployment

    stack = stacks.load(options.stack or stacks.DEFAULT)
    deployment = Deployment(
        stack, Cloud(stack), stack_option=f" --stack {shlex.quote(str(options.stack))}" if options.stack else ""
    )
    flags = {"up": {"yes_over_budget": options.yes_over_budget}, "env": {"page": options.page}}.get(options.command, {})
    getattr(deployment, options.command)(**flags)
    return 0


def _local(options: argparse.Namespace) -> int:
    from deploy.local import commands

    getattr(commands, options.command)(options.stack)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description="Run what the chatbot needs, on AWS or here.")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--stack", type=Path, metavar="FILE", help="what to run (default: deploy/stack.toml)")
    parser.add_argument("--target", choices=("aws", "local"), default="aws", help="where (default: %(default)s)")
    parser.add_argument("--yes-over-budget", action="store_true", help="up: go on where it costs more than [budget]")
    parser.add_argument("--page", action="store_true", help="env: the search server's user that can only search")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "commands:\n" + "\n".join(f"  {name:8}{what}" for name, what in COMMANDS.items())
    return parser


if __name__ == "__main__":
    sys.exit(main())
