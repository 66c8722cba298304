"""The command line: `python -m deploy COMMAND`. Exit codes: 0 done, 1 refused or failed with one clear line, 2 wrong usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.errors import RagError

COMMANDS = {
    "up": "create what the stack file names, and wait until it answers; again: change only what differs",
    "env": 'print the settings that make the chatbot use it, for eval "$(python -m deploy env)"',
    "status": "show what runs",
    "down": "remove it all; nothing is left",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, and turn every RagError into one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.target == "aws":
            raise RagError(
                "deploying to AWS is not part of this version yet; --target local runs the stack on this machine"
            )
        from deploy.local import commands  # heavy: only once the usage is right

        return int(getattr(commands, options.command)(options.stack) or 0)
    except RagError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description="Run what the chatbot needs, on AWS or here.")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--stack", type=Path, metavar="FILE", help="what to run (default: deploy/stack.toml)")
    parser.add_argument("--target", choices=("aws", "local"), default="aws", help="where (default: %(default)s)")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "commands:\n" + "\n".join(f"  {name:8}{what}" for name, what in COMMANDS.items())
    return parser


if __name__ == "__main__":
    sys.exit(main())
