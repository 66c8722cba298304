"""The page's static parts, filled with its texts: HTML, theme, style sheet and script, and the login page.

Plain elements instead of Gradio's components, because keyboards, screen readers and phones handle them; Gradio transports the
events and their results.
"""

from __future__ import annotations

import json
from html import escape
from string import Template

import gradio as gr

from rag.ui.texts import ASSETS, Texts

SCRIPTS = ("page.js", "composer.js", "reading.js", "feedback.js", "chats.js")
"""Parts of one script, in order: each uses names of the earlier ones."""
_WORDS = (
    "language", "empty", "too_long", "limit_near", "queued", "unqueue", "undo", "copied", "new_answer", "new_sources",
    "liked", "lost", "no_chats", "rename", "new_name", "remove", "remove_sure", "export", "forget_sure", "forgotten",
)  # fmt: skip
_CHATS_MENU = '<button type="button" id="menu" aria-expanded="false" aria-controls="chats">$chats</button>'
_CHATS_PANEL = """<nav id="chats" aria-label="$chats" hidden><div class="panel-head"><h2>$chats</h2>
<button type="button" class="shut">$close</button></div><label class="unseen" for="find">$search_chats</label>
<input id="find" type="search" placeholder="$search_chats" autocomplete="off"><ul></ul>
<div class="foot"><label><input id="shared" type="checkbox"> $shared</label>
<button type="button" id="forget">$forget</button></div></nav>"""


def body_html(texts: Texts, *, limit: int, history: bool = False) -> str:
    """The HTML of the empty page. `limit`: maximum characters of a question. `history`: with the menu of saved chats."""
    parts = {
        "menu": _CHATS_MENU if history else "",
        "panel": _CHATS_PANEL if history else "",
        "note": "<p>$language_note</p>" if texts.language == "en" else "",
    }
    page = Template((ASSETS / "page.html").read_text(encoding="utf-8")).safe_substitute(parts)
    return Template(page).substitute(_escaped(texts), limit=limit)


def login_page(texts: Texts) -> str:
    """The complete HTML document. Gradio's own login page mixes the page's language with the browser's."""
    words = {"wrong": texts.login_wrong, "busy": texts.busy, "failed": texts.login_failed}
    script = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    page = Template((ASSETS / "login.html").read_text(encoding="utf-8"))
    return page.substitute(_escaped(texts), words=script)


def _escaped(texts: Texts) -> dict[str, str]:
    return {name: escape(str(getattr(texts, name))) for name in texts.__slots__ if name not in ("notices", "errors")}


def theme() -> gr.themes.Base:
    """A theme with fonts of the visitor's machine only, so that no fonts are downloaded."""
    names = ("Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "sans-serif")
    fonts = [gr.themes.Font(name) for name in names]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    return gr.themes.Base(font=fonts, font_mono=mono, neutral_hue="slate")


def head() -> str:
    """The page's style sheet as a <style> element. Gradio's `css` parameter prefixes each rule and breaks lists in `:is()`."""
    return f"<style>{(ASSETS / 'page.css').read_text(encoding='utf-8')}</style>"


def script(texts: Texts) -> str:
    """The page's JavaScript, with the texts that it shows."""
    words = {name: getattr(texts, name) for name in _WORDS} | {"ended": texts.login_ended, "busy": texts.busy}
    parts = [(ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    # Set at the end, when the page handles keys and clicks.
    return "\n".join(["() => {", f"const words = {json.dumps(words)};", *parts, 'root.dataset.hears = "";', "}"])
