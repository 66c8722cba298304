#!/usr/bin/env bash
# What surprises: opensearch-py sends a search answered by 503 three times more without a pause, whatever Retry-After says, and does
#   not repeat one answered by 429 at all.
# Seen with: opensearch-py 3.2.0, Python 3.11, against a server on this machine that answers every search so.
# Why it matters: OpenSearch answers 429 when a queue is full and 503 when it is not ready. The first is lost though a second's wait would
#   do, the second quadruples the load of a node that has just said it cannot take more.
# Expected: a pause that grows, or the one asked for in Retry-After, for both.
# Output:
#   opensearch-py 3.2.0
#   503 with Retry-After: 2: 4 requests
#   429 with Retry-After: 2: 1 request
#   503: all in a row, without the pause asked for
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(opensearch-py==3.2.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from opensearchpy import OpenSearch, TransportError


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


arrivals: dict[int, list[float]] = defaultdict(list)


class Overloaded(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = 429 if "queue" in self.path else 503
        arrivals[status].append(time.monotonic())
        body = json.dumps({"error": {"type": "rejected_execution_exception"}, "status": status}).encode()
        self.send_response(status)
        self.send_header("Retry-After", "2")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


print("opensearch-py", version("opensearch-py"))
server = ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = OpenSearch(hosts=[{"host": "127.0.0.1", "port": server.server_address[1]}])
for index, status in (("not-ready", 503), ("queue-full", 429)):
    try:
        client.search(index=index, body={"query": {"match_all": {}}})
        raise SystemExit(f"changed: {status} is taken for an answer")
    except TransportError as error:
        check(error.status_code == status, f"{index} raises {error.status_code}")
    times = arrivals[status]
    print(f"{status} with Retry-After: 2: {len(times)} request{'s' * (len(times) > 1)}")
server.shutdown()
check(len(arrivals[503]) == 4, f"503 is sent {len(arrivals[503])} times")
# Three pauses of Retry-After's two seconds would be six; even a busy machine sends four requests in far less.
paused = arrivals[503][-1] - arrivals[503][0] >= 3
print("503: with pauses" if paused else "503: all in a row, without the pause asked for")
check(not paused, "there is a pause before a repeated 503")
check(len(arrivals[429]) == 1, f"429 is sent {len(arrivals[429])} times")
print("as recorded")
PYTHON
