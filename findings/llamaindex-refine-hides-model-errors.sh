#!/usr/bin/env bash
# What surprises: with response mode "compact" (the default) or "refine", a ValueError or TypeError raised while the model is called
#   becomes the answer "Empty Response". json.JSONDecodeError is a ValueError, so an HTML error page in place of JSON ends there too.
# Seen with: llama-index-core 0.14.25, Python 3.11.
# Why it matters: a customer reads "Empty Response" and the caller has nothing to catch or retry; two other modes do raise.
# Expected: the exception reaches the caller, as it does for other types, and in the modes shown below.
# Output:
#   llama-index-core 0.14.25
#   compact           <html>502 Bad Gateway</html>  answer 'Empty Response'
#   refine            <html>502 Bad Gateway</html>  answer 'Empty Response'
#   tree_summarize    <html>502 Bad Gateway</html>  raises JSONDecodeError
#   simple_summarize  <html>502 Bad Gateway</html>  raises JSONDecodeError
#   compact           null                          answer 'Empty Response'
#   simple_summarize  null                          raises TypeError
#   compact           closed connection             raises ConnectionError
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-core==0.14.25)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version
from typing import Any

from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import NodeWithScore, TextNode


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


class Unreachable(CustomLLM):
    """A model whose gateway answers with `body` where an object with a text is due, or closes the connection."""

    body: str | None

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    def complete(self, prompt: str, **kwargs: Any) -> CompletionResponse:
        if self.body is None:
            raise ConnectionError("connection closed")
        return CompletionResponse(text=json.loads(self.body)["text"])

    def stream_complete(self, prompt: str, **kwargs: Any) -> Any:
        raise NotImplementedError


def outcome(mode: str, body: str | None) -> str:
    passages = [NodeWithScore(node=TextNode(text="이체 한도는 1일 5천만원입니다."), score=1.0)]
    synthesizer = get_response_synthesizer(llm=Unreachable(body=body), response_mode=mode)
    try:
        return f"answer {str(synthesizer.synthesize('이체 한도는?', nodes=passages))!r}"
    except (ValueError, TypeError, ConnectionError) as error:
        return f"raises {type(error).__name__}"


print("llama-index-core", version("llama-index-core"))
page = "<html>502 Bad Gateway</html>"
for mode, body, expected in (
    ("compact", page, "answer 'Empty Response'"),
    ("refine", page, "answer 'Empty Response'"),
    ("tree_summarize", page, "raises JSONDecodeError"),
    ("simple_summarize", page, "raises JSONDecodeError"),
    ("compact", "null", "answer 'Empty Response'"),
    ("simple_summarize", "null", "raises TypeError"),
    ("compact", None, "raises ConnectionError"),
):
    seen = outcome(mode, body)
    print(f"{mode:17} {body or 'closed connection':29} {seen}")
    check(seen == expected, f"{mode}, {body}: {seen}, was {expected}")
print("as recorded")
PYTHON
