#!/usr/bin/env bash
# What surprises: Kiwi's sentence splitter puts a boundary inside a word, between a quoted noun at the start of a sentence and its
#   particle, and none before it: "비밀번호를 넣으세요. '확인'을 누르세요." becomes "비밀번호를 넣으세요. '확인'" and "을 누르세요.".
#   The same sentence alone stays whole, as does one whose quoted noun is not its first word.
# Seen with: kiwipiepy 0.24.1, kiwipiepy-model 0.24.0, Python 3.11.
# Why it matters: answers on how to use a bank's page are such sentences. A citation or a chunk made of one sentence loses the button's
#   name, and the next begins with a lone particle.
# Expected: two sentences, cut at the space.
# Output:
#   kiwipiepy 0.24.1 model 0.24.0
#   비밀번호를 넣으세요. '확인'을 누르세요. → ["비밀번호를 넣으세요. '확인'", '을 누르세요.']
#   '확인'을 누르세요. '이체'를 누르세요. → ["'확인'을 누르세요. '이체'", '를 누르세요.']
#   '확인'을 누르세요. → ["'확인'을 누르세요."]
#   비밀번호를 넣으세요. 아래 '확인'을 누르세요. → ['비밀번호를 넣으세요.', "아래 '확인'을 누르세요."]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(kiwipiepy==0.24.1 kiwipiepy-model==0.24.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from kiwipiepy import Kiwi


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("kiwipiepy", version("kiwipiepy"), "model", version("kiwipiepy-model"))
kiwi = Kiwi(num_workers=1)
for text, expected in {
    "비밀번호를 넣으세요. '확인'을 누르세요.": ["비밀번호를 넣으세요. '확인'", "을 누르세요."],
    "'확인'을 누르세요. '이체'를 누르세요.": ["'확인'을 누르세요. '이체'", "를 누르세요."],
    "'확인'을 누르세요.": ["'확인'을 누르세요."],
    "비밀번호를 넣으세요. 아래 '확인'을 누르세요.": ["비밀번호를 넣으세요.", "아래 '확인'을 누르세요."],
}.items():
    sentences = [sentence.text for sentence in kiwi.split_into_sents(text)]
    print(text, "→", sentences)
    check(sentences == expected, f"{text} is cut into {sentences}")
print("as recorded")
PYTHON
