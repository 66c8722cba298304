"""Imports Gradio in half the time: without comparing the interface file (.pyi) of each component with its source.

`gradio.component_meta` does that at every import, unless a component has no source file. Importing this module is enough.
"""

from __future__ import annotations

import inspect
from unittest.mock import patch

with patch.object(inspect, "getfile", side_effect=OSError):
    import gradio

__all__ = ["gradio"]
