"""Starts the chat page: `python app.py [--host] [--port] [--share] [--root-path] [--auth-file] [--language ko|en]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import PackageMissing, RagError

if TYPE_CHECKING:
    from rag.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page. Returns the exit code: 0 after SIGINT or SIGTERM, 1 after an error, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        try:
            from rag.cli.logging_setup import configure_logging
            from rag.settings import load_settings

            settings = _with(load_settings(), options)
            configure_logging(settings.log.level, settings.log.format)
            from rag.ui.server import serve  # slow to import, so only after the arguments are checked
        except ModuleNotFoundError as exc:
            raise PackageMissing(exc.name) from exc
        serve(settings, public=options.share, echo=_echo)
    except KeyboardInterrupt:
        return 0
    except RagError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app.py", description="Serve the chat page. Defaults come from the settings.")
    parser.add_argument("--host", help="address to listen on (FSI_UI__HOST)")
    parser.add_argument("--port", type=_port, help="port; the next free one if it is in use (FSI_UI__PORT)")
    parser.add_argument("--share", action="store_true", help="add a public link behind a one-time login")
    parser.add_argument("--root-path", help="prefix of a stripping proxy, e.g. /jupyterlab/default/proxy/7860")
    parser.add_argument("--auth-file", type=Path, help="file of logins created by `python -m rag user add`")
    parser.add_argument(
        "--open-to-all",
        action="store_true",
        default=None,
        help="listen on a network address without a login (FSI_UI__OPEN_TO_ALL)",
    )
    parser.add_argument(
        "--mcp",
        action="store_true",
        default=None,
        help="serve the Model Context Protocol at POST /mcp (FSI_UI__MCP)",
    )
    parser.add_argument("--language", choices=("ko", "en"), help="language of the page (FSI_UI__LANGUAGE)")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; choose one from 1 to 65535")
    return int(text)


def _with(settings: Settings, options: argparse.Namespace) -> Settings:
    """The settings, overridden by the command line's options."""
    overrides = {
        name: value
        for name in ("host", "port", "root_path", "auth_file", "language", "open_to_all", "mcp")
        if (value := getattr(options, name)) is not None
    }
    return settings.model_copy(update={"ui": settings.ui.model_copy(update=overrides)})


def _echo(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # sys.exit would wait for threads that load models or build an index
