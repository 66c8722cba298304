"""The login page, in the page's language. Gradio's own mixes it with the browser's language and is not styled."""

from __future__ import annotations

import json
from html import escape
from string import Template

from rag.ui.i18n import Texts

_PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #17212f; --muted: #526078; --line: #a9b4c4; --ground: #f4f6fa; --surface: #fff;
  --accent: #1a4f9d; --accent-ink: #fff; --bad: #a01c1c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ecf4; --muted: #a5b2c5; --line: #55637a; --ground: #0d131c;
  --surface: #151d29; --accent: #86b4ff; --accent-ink: #0b1a33; --bad: #ffb3b3; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 20px; background: var(--ground);
  color: var(--ink); word-break: keep-all; line-height: 1.6;
  font-family: Pretendard, "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", sans-serif; }
main { width: 100%; max-width: 380px; padding: 28px; border-radius: 16px; background: var(--surface);
  box-shadow: 0 1px 2px rgb(16 32 64 / 8%), 0 4px 16px rgb(16 32 64 / 6%); }
h1 { margin: 0 0 6px; font-size: 1.25rem; } p { margin: 0 0 18px; font-size: .9rem; color: var(--muted); }
label { display: block; margin-bottom: 14px; font-size: .9rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: 4px; padding: 10px 12px; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: 10px; }
button { width: 100%; padding: 11px; border: 0; border-radius: 10px; font: inherit; font-weight: 600; cursor: pointer;
  background: var(--accent); color: var(--accent-ink); }
button:disabled { opacity: .6; cursor: default; }
:is(input, button):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
#wrong { min-height: 1.6em; margin: 10px 0 0; color: var(--bad); }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>$message</p>
<form id="login" method="post" action="login">
<label>$name<input name="username" autocomplete="username" maxlength="64" required autofocus></label>
<label>$password<input name="password" type="password" autocomplete="current-password" maxlength="1024" required></label>
<button type="submit">$enter</button>
<p id="wrong" role="alert"></p>
</form>
</main>
<script>
const words = $words;
const form = document.getElementById("login"), wrong = document.getElementById("wrong");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  wrong.textContent = "";
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) return location.reload();
    wrong.textContent = answer.status === 429 ? words.busy : answer.status === 400 ? words.wrong : words.failed;
  } catch { wrong.textContent = words.failed; }
  button.disabled = false;
});
</script>
</body>
</html>
""")


def login_page(texts: Texts) -> str:
    """The complete HTML document."""
    words = {"wrong": texts.login_wrong, "busy": texts.busy, "failed": texts.login_failed}
    values = {
        "language": texts.language,
        "title": texts.title,
        "message": texts.login,
        "name": texts.login_name,
        "password": texts.login_password,
        "enter": texts.login_enter,
    }
    script = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.substitute({key: escape(value) for key, value in values.items()}, words=script)
