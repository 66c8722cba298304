#!/usr/bin/env bash
# What surprises: when a model's stream stalls for longer than read_timeout, iterating it raises urllib3's ReadTimeoutError, which is no
#   botocore exception; the same silence in a call without streaming raises botocore's ReadTimeoutError.
# Seen with: boto3 and botocore 1.44.8, urllib3 2.8.0, Python 3.11, against a server on this machine that sends one part of an answer
#   and then nothing.
# Why it matters: code that catches BotoCoreError and ClientError around a SageMaker or Bedrock stream lets this one through, and a page
#   ends in the middle of an answer with a traceback.
# Expected: one exception type for one cause: a BotoCoreError in both.
# Output:
#   boto3 1.44.8 botocore 1.44.8 urllib3 2.8.0
#   whole: botocore.exceptions.ReadTimeoutError, a BotoCoreError: True
#     part: '이체 한도는 '
#   streamed: urllib3.exceptions.ReadTimeoutError, a BotoCoreError: False
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(boto3==1.44.8 botocore==1.44.8 urllib3==2.8.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def event(payload: bytes) -> bytes:
    """One PayloadPart in AWS's event stream encoding."""
    headers = b""
    for name, value in ((b":message-type", b"event"), (b":event-type", b"PayloadPart")):
        headers += struct.pack(f">B{len(name)}sBH{len(value)}s", len(name), name, 7, len(value), value)
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


done = threading.Event()


class Stalling(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("response-stream"):
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.amazon.eventstream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            part = event("이체 한도는 ".encode())
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.flush()
        done.wait(30)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


print("boto3", version("boto3"), "botocore", version("botocore"), "urllib3", version("urllib3"))
server = ThreadingHTTPServer(("127.0.0.1", 0), Stalling)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = boto3.client(
    "sagemaker-runtime",
    region_name="ap-northeast-2",
    endpoint_url=f"http://127.0.0.1:{server.server_address[1]}",
    aws_access_key_id="none",
    aws_secret_access_key="none",
    config=Config(read_timeout=2, retries={"total_max_attempts": 1}),
)


def whole() -> None:
    client.invoke_endpoint(EndpointName="llm", Body=b"{}")


def streamed() -> None:
    for part in client.invoke_endpoint_with_response_stream(EndpointName="llm", Body=b"{}")["Body"]:
        parts.append(part["PayloadPart"]["Bytes"].decode())
        print(f"  part: {parts[-1]!r}")


parts: list[str] = []
outcomes = {}
for call in (whole, streamed):
    try:
        call()
        raise SystemExit(f"changed: {call.__name__} ends without an error")
    except Exception as error:
        kind = f"{type(error).__module__}.{type(error).__name__}"
        outcomes[call.__name__] = kind, isinstance(error, BotoCoreError)
        print(f"{call.__name__}: {kind}, a BotoCoreError: {isinstance(error, BotoCoreError)}")
done.set()
server.shutdown()
check(outcomes["whole"] == ("botocore.exceptions.ReadTimeoutError", True), f"whole: {outcomes['whole']}")
check(parts == ["이체 한도는 "], f"the parts are {parts}")
check(outcomes["streamed"] == ("urllib3.exceptions.ReadTimeoutError", False), f"streamed: {outcomes['streamed']}")
print("as recorded")
PYTHON
