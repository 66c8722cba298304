"""What the page looks like: Gradio's theme, the style sheet and the script beside it."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr

from rag.ui.i18n import Texts

ASSETS = Path(__file__).with_name("assets")


def theme() -> gr.themes.Base:
    """Fonts that are on the visitor's machine: none is fetched from elsewhere."""
    names = ("Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "sans-serif")
    fonts = [gr.themes.Font(name) for name in names]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    return gr.themes.Base(font=fonts, font_mono=mono, neutral_hue="slate").set(
        button_primary_background_fill="#1a4f9d",  # the login page has the theme but not the style sheet
        button_primary_background_fill_hover="#143f7e",
    )


def head() -> str:
    """The page's style sheet. Gradio's own way for one repeats each rule under its own names, and breaks lists in `:is()`."""
    return f"<style>{(ASSETS / 'page.css').read_text(encoding='utf-8')}</style>"


SCRIPTS = ("page.js", "composer.js", "reading.js", "feedback.js", "chats.js")
"""One script in parts: each sees the names of those before it."""
_WORDS = (
    "language", "empty", "too_long", "limit_near", "queued", "unqueue", "undo", "copied", "new_answer", "new_sources",
    "liked", "lost", "no_chats", "rename", "new_name", "remove", "remove_sure", "export", "forget_sure", "forgotten",
)  # fmt: skip


def script(texts: Texts) -> str:
    """The page's JavaScript, with the words that it shows."""
    words = {name: getattr(texts, name) for name in _WORDS} | {"ended": texts.login_ended, "busy": texts.busy}
    parts = [(ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    # Said at the end: from here on the page hears keys and clicks.
    return "\n".join(["() => {", f"const words = {json.dumps(words)};", *parts, 'root.dataset.hears = "";', "}"])
