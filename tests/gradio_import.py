"""Makes Gradio faster to import and its pages faster to build in the tests. Importing this module is enough.

- `gradio.component_meta` compares the interface file (.pyi) of each component with its source at every import, which takes half
  of it. It does not for a component without a source file.
- A `Blocks` builds a web application of 82 routes three times before `gradio.mount_gradio_app` builds the one that is served;
  the page of a test needs the last one only.
"""

from __future__ import annotations

import inspect
from typing import Any
from unittest.mock import patch

with patch.object(inspect, "getfile", side_effect=OSError):
    import gradio
    import gradio.blocks


class _NotServed:
    """Stands for the application of a `Blocks` until it is mounted."""

    @staticmethod
    def create_app(*_: Any, **__: Any) -> None:
        return None


gradio.blocks.App = _NotServed  # type: ignore[attr-defined, assignment]

__all__ = ["gradio"]
