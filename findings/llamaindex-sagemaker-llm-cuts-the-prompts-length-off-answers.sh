#!/usr/bin/env bash
# What surprises: with `return_full_text` off, as many characters are cut off an answer as the prompt has, although the answer does not begin
#   with the prompt: after a short prompt the first sentence is gone, and in the default format of the prompt a short answer becomes "".
# Seen with: llama-index-llms-sagemaker-endpoint 0.6.0, llama-index-core 0.14.25, boto3 1.44.8, Python 3.11.
# Why it matters: the setting spares the endpoint from sending back the prompt, with all its passages. What is left of an answer can be a whole
#   sentence: the rate without its condition.
# Expected: the answer; a prefix cut only where it is the prompt.
# Reason: the default handler's `remove_prefix` cuts the prompt's length without a look at what it cuts. Hugging Face's container for language
#   models (TGI) repeats the prompt in /invocations unless the setting is off, or the model's pipeline tag is not text-generation.
# Output:
#   llama-index-llms-sagemaker-endpoint 0.6.0
#   chat: 281 characters asked, answer '급여 이체를 받는 고객에게만 우대합니다. 금리는 연 4.2%입니다.'
#   chat, return_full_text off: 281 characters asked, answer ''
#   complete, return_full_text off, the prompt as it is: 22 characters asked, answer ' 금리는 연 4.2%입니다.'
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-core==0.14.25 boto3==1.44.8)
# Without their dependencies: the second needs llama-cpp-python, which is compiled on installation and not used here.
bare=(llama-index-llms-sagemaker-endpoint==0.6.0 llama-index-llms-llama-cpp==0.7.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
  uv pip install --quiet --python "$folder/venv/bin/python" --no-deps "${bare[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "${bare[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from types import ModuleType

# The type that LlamaCPP, which this package imports a prompt's format from, has in an annotation.
sys.modules["llama_cpp"] = ModuleType("llama_cpp")
sys.modules["llama_cpp"].Llama = object

from llama_index.core.llms import ChatMessage
from llama_index.llms.sagemaker_endpoint import SageMakerLLM

ANSWER = "급여 이체를 받는 고객에게만 우대합니다. 금리는 연 4.2%입니다."
asked: list[str] = []


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


class Endpoint(BaseHTTPRequestHandler):
    """Answers as TGI does on SageMaker for a model of text generation: after the prompt unless `return_full_text` is off."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked.append(request["inputs"])
        echoed = request["inputs"] if request["parameters"].get("return_full_text", True) else ""
        body = json.dumps([{"generated_text": echoed + ANSWER}]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def llm(**parameters: object) -> SageMakerLLM:
    key = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "aws_region_name": "ap-northeast-2"}
    return SageMakerLLM(endpoint_name="llm", model_kwargs=parameters, **key)


server = HTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = f"http://127.0.0.1:{server.server_port}"

print("llama-index-llms-sagemaker-endpoint", version("llama-index-llms-sagemaker-endpoint"))
question = "급여 이체 우대 금리는 몇 퍼센트인가요?"
messages = [ChatMessage(role="user", content=question)]
off = llm(return_full_text=False)
answers = {
    "chat": llm().chat(messages).message.content,
    "chat, return_full_text off": off.chat(messages).message.content,
    "complete, return_full_text off, the prompt as it is": off.complete(question, formatted=True).text,
}
for (how, answer), prompt in zip(answers.items(), asked, strict=True):
    print(f"{how}: {len(prompt)} characters asked, answer {answer!r}")
server.shutdown()
whole, none, part = answers.values()
check(whole == ANSWER, f"chat: {whole}")
check(none == "", f"with return_full_text off: {none}")
check(part == ANSWER[len(question) :], f"with return_full_text off and a short prompt: {part}")
print("as recorded")
PYTHON
