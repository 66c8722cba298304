#!/usr/bin/env bash
# What surprises: OpensearchVectorClient(space_type="cosinesimil") creates its index with space "l2". The argument is taken, kept, and
#   does not reach the mapping, with engine "lucene" as with "faiss".
# Seen with: llama-index-vector-stores-opensearch 1.3.0, llama-index-core 0.14.25, opensearch-py 3.2.0, Python 3.11; a server on this
#   machine that only records what it is sent.
# Why it matters: scores are then 1 / (1 + d²), so cut-offs chosen for cosines decline or accept the wrong questions, and vectors that
#   are not of unit length come in another order.
# Expected: the space asked for in the mapping, or an error.
# Output:
#   llama-index-vector-stores-opensearch 1.3.0
#   engine lucene: asked for cosinesimil, created with l2
#   engine faiss: asked for cosinesimil, created with l2
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-core==0.14.25 llama-index-vector-stores-opensearch==1.3.0 opensearch-py==3.2.0)
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from llama_index.core.schema import TextNode
from llama_index.vector_stores.opensearch import OpensearchVectorClient, OpensearchVectorStore
from opensearchpy import AsyncOpenSearch, OpenSearch


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


created: dict[str, dict] = {}


class Recorder(BaseHTTPRequestHandler):
    """Knows no index until it is created, and takes whatever is written."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        reply: dict = {"acknowledged": True}
        if self.command == "PUT" and path.count("/") == 1:
            created[path[1:]] = json.loads(body)
        elif path == "/":
            reply = {"version": {"number": "3.4.0", "distribution": "opensearch"}}
        elif path.endswith("_bulk"):
            reply = {"errors": False, "items": [{"index": {"_id": "1", "status": 201}}]}
        missing = self.command in ("GET", "HEAD") and path != "/" and path[1:] not in created
        sent = json.dumps({"error": {"type": "index_not_found_exception"}} if missing else reply).encode()
        self.send_response(404 if missing else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    do_GET = do_HEAD = do_PUT = do_POST = answer

    def log_message(self, *args: object) -> None:
        pass


print("llama-index-vector-stores-opensearch", version("llama-index-vector-stores-opensearch"))
server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"
for engine in ("lucene", "faiss"):
    client = OpensearchVectorClient(
        url, f"faq-{engine}", 4, engine=engine, space_type="cosinesimil",
        os_client=OpenSearch(url), os_async_client=AsyncOpenSearch(url),
    )  # fmt: skip
    store = OpensearchVectorStore(client)
    store.add([TextNode(id_="1", text="이체 한도", embedding=[1.0, 0.0, 0.0, 0.0])])
    method = created[f"faq-{engine}"]["mappings"]["properties"]["embedding"]["method"]
    print(f"engine {engine}: asked for cosinesimil, created with {method['space_type']}")
    check(method["engine"] == engine and method["space_type"] == "l2", f"created with {method}")
server.shutdown()
print("as recorded")
PYTHON
