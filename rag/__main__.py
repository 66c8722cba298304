"""`python -m rag COMMAND`: see `rag.cli.main`."""

from __future__ import annotations

import sys

from rag.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
