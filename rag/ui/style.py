"""Gradio's theme, the style sheet and the script of the page."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr

from rag.ui.i18n import Texts

ASSETS = Path(__file__).with_name("assets")


def theme() -> gr.themes.Base:
    """A theme with fonts of the visitor's machine only, so that no fonts are downloaded."""
    names = ("Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "sans-serif")
    fonts = [gr.themes.Font(name) for name in names]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    return gr.themes.Base(font=fonts, font_mono=mono, neutral_hue="slate").set(
        button_primary_background_fill="#1a4f9d",  # the login page has the theme but not the style sheet
        button_primary_background_fill_hover="#143f7e",
    )


def head() -> str:
    """The page's style sheet as a <style> element. Gradio's `css` parameter prefixes each rule and breaks lists in `:is()`."""
    return f"<style>{(ASSETS / 'page.css').read_text(encoding='utf-8')}</style>"


SCRIPTS = ("page.js", "composer.js", "reading.js", "feedback.js", "chats.js")
"""Parts of one script, in order: each uses names of the earlier ones."""
_WORDS = (
    "language", "empty", "too_long", "limit_near", "queued", "unqueue", "undo", "copied", "new_answer", "new_sources",
    "liked", "lost", "no_chats", "rename", "new_name", "remove", "remove_sure", "export", "forget_sure", "forgotten",
)  # fmt: skip


def script(texts: Texts) -> str:
    """The page's JavaScript, with the texts that it shows."""
    words = {name: getattr(texts, name) for name in _WORDS} | {"ended": texts.login_ended, "busy": texts.busy}
    parts = [(ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    # Set at the end, when the page handles keys and clicks.
    return "\n".join(["() => {", f"const words = {json.dumps(words)};", *parts, 'root.dataset.hears = "";', "}"])
