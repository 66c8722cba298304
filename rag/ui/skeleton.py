"""The page's static HTML: header, conversation, composer and source panel, which the script fills.

Plain elements instead of Gradio's components, because keyboards, screen readers and phones handle them; Gradio transports the
events and their results.
"""

from __future__ import annotations

from html import escape

from rag.ui.texts import Texts


def body_html(texts: Texts, *, limit: int, history: bool = False) -> str:
    """The HTML of the empty page. `limit`: maximum characters of a question. `history`: with the menu of saved chats."""
    t = {name: escape(str(getattr(texts, name))) for name in texts.__slots__ if name not in ("notices", "errors")}
    menu = (
        f'<button type="button" id="menu" aria-expanded="false" aria-controls="chats">{t["chats"]}</button>'
        if history
        else ""
    )
    chats = (
        f'<nav id="chats" aria-label="{t["chats"]}" hidden><div class="panel-head"><h2>{t["chats"]}</h2>'
        f'<button type="button" class="shut">{t["close"]}</button></div>'
        f'<label class="unseen" for="find">{t["search_chats"]}</label>'
        f'<input id="find" type="search" placeholder="{t["search_chats"]}" autocomplete="off"><ul></ul>'
        f'<div class="foot"><label><input id="shared" type="checkbox"> {t["shared"]}</label>'
        f'<button type="button" id="forget">{t["forget"]}</button></div></nav>'
        if history
        else ""
    )
    note = f"<p>{t['language_note']}</p>" if texts.language == "en" else ""
    filters = "".join(
        f'<label>{t[name]}<select id="{name}"><option value="">{t["everything"]}</option></select></label>'
        for name in ("bank", "category")
    )
    return f"""<div id="shell"><a class="skip" href="#question">{t["skip"]}</a>
<header id="header">{menu}<span class="mark" aria-hidden="true"></span>
<div class="name"><h1>{t["title"]}</h1><p>{t["subtitle"]}</p></div>
<button type="button" id="theme" aria-pressed="false" title="{t["dark"]}" aria-label="{t["dark"]}">◐</button>
<button type="button" id="clear">{t["clear"]}</button></header>
<div id="status"></div>
<div id="columns">
{chats}<section id="talk" aria-label="{t["chat_label"]}">
<h2 class="unseen">{t["chat_label"]}</h2>
<div id="chat"><div role="log" aria-live="off" aria-label="{t["chat_label"]}" tabindex="0"></div></div>
<div id="starting">
<div class="welcome"><p>{t["welcome"]}</p></div>
<p class="automated">{t["automated"]}</p>{note}
<div id="topics" hidden><h2>{t["categories"]}</h2><div class="tiles"></div></div>
<div id="starters" hidden><h2>{t["starters"]}</h2><div class="choices"></div></div>
</div>
<div id="below"><p id="notice">{t["notice"]}</p>
<button type="button" id="down" aria-label="{t["scroll_down"]}" title="{t["scroll_down"]}" hidden>↓</button></div>
<div id="composer">
<div id="queue"></div>
<div id="editing" hidden><p>{t["editing"]}</p><button type="button" class="end">{t["close"]}</button></div>
<div id="hint" aria-live="assertive"></div>
<form id="ask">
<details id="tools"><summary><span>{t["filters"]}</span><b class="chosen"></b></summary>
<div class="filters">{filters}</div></details>
<div id="box"><label class="unseen" for="question">{t["box_label"]}</label>
<textarea id="question" rows="1" placeholder="{t["box_placeholder"]}" data-limit="{limit}"
enterkeyhint="send" autocomplete="off"></textarea>
<span id="counter" aria-live="polite"></span></div>
<button type="submit" id="send">{t["send"]}</button>
<button type="button" id="stop">{t["stop"]}</button>
</form></div>
</section>
<aside id="sources" aria-label="{t["sources"]}" hidden><div id="panel" tabindex="-1">
<div class="panel-head"><h2 class="panel-title">{t["sources"]}</h2>
<button type="button" class="shut">{t["close"]}</button></div><div class="list"></div>
<p class="without">{t["no_sources"]}</p></div></aside>
</div>
<div id="live" class="unseen" aria-live="polite"></div>
<div id="toast" role="status"></div></div>"""
