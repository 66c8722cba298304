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


def css() -> str:
    """The page's style sheet."""
    return (ASSETS / "page.css").read_text(encoding="utf-8")


def script(texts: Texts) -> str:
    """The page's JavaScript, with the words that Gradio has no translation for."""
    words = {
        "language": texts.language,
        "log": texts.chat_label,
        "user": texts.your_question,
        "bot": texts.our_answer,
        "down": texts.scroll_down,
        "ended": texts.login_ended,
        "busy": texts.busy,
    }
    return (ASSETS / "page.js").read_text(encoding="utf-8").replace("/* words */ {}", json.dumps(words))
