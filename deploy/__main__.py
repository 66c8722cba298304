"""The command line `python -m deploy COMMAND`. Exit codes: 0 success, 1 failure with an error message, 2 wrong usage."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.errors import PackageMissing, RagError

COMMANDS = {
    "plan": "show what `up` would create, change, keep and remove, its cost, and whether the quotas suffice",
    "up": "create or update the resources of the stack file, and wait until they answer",
    "status": "show the state, age, creator and cost of each resource",
    "test": "send requests to the endpoints and the search server as the chatbot does",
    "env": 'print the chatbot\'s settings for this stack, for eval "$(python -m deploy env)"',
    "down": "delete all resources of the stack",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command and return the exit code; a RagError is printed on standard error."""
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
    from deploy import stack as stacks  # slow to import, so after the usage was checked
    from deploy.aws.commands import Deployment
    from deploy.aws.session import AwsSession

    stack = stacks.load(options.stack or stacks.DEFAULT)
    deployment = Deployment(
        stack, AwsSession(stack), stack_option=f" --stack {shlex.quote(str(options.stack))}" if options.stack else ""
    )
    flags = {"up": {"yes_over_budget": options.yes_over_budget}, "env": {"page": options.page}}.get(options.command, {})
    getattr(deployment, options.command)(**flags)
    return 0


def _local(options: argparse.Namespace) -> int:
    from deploy.local import commands

    getattr(commands, options.command)(options.stack)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy",
        description="Deploy the models and the search server of the chatbot, on AWS or locally.",
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--stack", type=Path, metavar="FILE", help="the stack file (default: deploy/stack.toml)")
    parser.add_argument(
        "--target", choices=("aws", "local"), default="aws", help="where to deploy (default: %(default)s)"
    )
    parser.add_argument("--yes-over-budget", action="store_true", help="up: continue if the cost exceeds [budget]")
    parser.add_argument("--page", action="store_true", help="env: use the search user that can only search")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "commands:\n" + "\n".join(f"  {name:8}{what}" for name, what in COMMANDS.items())
    return parser


if __name__ == "__main__":
    sys.exit(main())
