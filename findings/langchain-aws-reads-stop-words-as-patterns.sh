#!/usr/bin/env bash
# What surprises: a stop word is read as a regular expression, so an answer that does not hold it is cut: by "<|im_end|>" at the first "<" or
#   ">", and by "[|endofturn|]" at the first "|" or one of its letters. "소득 > 5천만원이면 연 3.5%입니다." becomes "소득 ".
# Seen with: langchain-aws 1.9.1, botocore 1.44.8, Python 3.11.
# Why it matters: these are the turn ends of ChatML models and of EXAONE, a Korean model. A rate table is cut at its first "|", so the answer is
#   empty; a condition is cut before its amount, and what is left reads like a sentence.
# Expected: a cut where the whole stop word stands; this answer has none.
# Reason: the stop words are joined with "|" and given to re.split without re.escape.
# Public: langchain-ai/langchain-aws#1164 (pull request, closed), langchain-ai/langchain#13397 (closed without a fix).
# Output:
#   langchain-aws 1.9.1
#   stop </s>           '소득 > 5천만원이면 연 3.5%입니다.' -> '소득 > 5천만원이면 연 3.5%입니다.'
#   stop <|im_end|>     '소득 > 5천만원이면 연 3.5%입니다.' -> '소득 '
#   stop [|endofturn|]  'OTP는 앱(Star뱅크)에서 발급합니다.' -> 'OTP는 앱(S'
#   stop [|endofturn|]  '| 기간 | 금리 |\n| 12개월 | 연 3.5% |' -> ''
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(langchain-aws==1.9.1 boto3==1.44.8 botocore==1.44.8)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import io
import json
from importlib.metadata import version

import boto3
from botocore.response import StreamingBody
from botocore.stub import Stubber
from langchain_aws.llms.sagemaker_endpoint import LLMContentHandler, SagemakerEndpoint


class Handler(LLMContentHandler):
    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: str, model_kwargs: dict) -> bytes:
        return json.dumps({"inputs": prompt, "parameters": model_kwargs}).encode()

    def transform_output(self, output: StreamingBody) -> str:
        return json.loads(output.read())["generated_text"]


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def answer(text: str, stop: list[str]) -> str:
    """The model's answer as LangChain returns it; botocore's stub stands for the endpoint."""
    key = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    client = boto3.client("sagemaker-runtime", region_name="ap-northeast-2", **key)
    body = json.dumps({"generated_text": text}).encode()
    with Stubber(client) as stub:
        response = {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentType": "application/json"}
        stub.add_response("invoke_endpoint", response)
        return SagemakerEndpoint(endpoint_name="llm", client=client, content_handler=Handler()).invoke("질문", stop=stop)


print("langchain-aws", version("langchain-aws"))
for stop, text, cut in (
    ("</s>", "소득 > 5천만원이면 연 3.5%입니다.", "소득 > 5천만원이면 연 3.5%입니다."),
    ("<|im_end|>", "소득 > 5천만원이면 연 3.5%입니다.", "소득 "),
    ("[|endofturn|]", "OTP는 앱(Star뱅크)에서 발급합니다.", "OTP는 앱(S"),
    ("[|endofturn|]", "| 기간 | 금리 |\n| 12개월 | 연 3.5% |", ""),
):
    read = answer(text, [stop])
    print(f"stop {stop:14} {text!r} -> {read!r}")
    check(read == cut, f"with {stop}: {read!r}")
print("as recorded")
PYTHON
