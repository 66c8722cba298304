"""The emulator's process: `python -m deploy.local FOLDER`, started by `python -m deploy up --target local`.

FOLDER contains `plan.json` with the preferred port and the endpoints. The process locks the file `lock`, which contains its
ID, until it ends, and writes `url` when it listens.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from pathlib import Path
from typing import TextIO

import uvicorn

from deploy.local import state_folder
from deploy.local.control import ControlPlane
from deploy.local.server import HOST, application, bind, config, with_transport
from deploy.local.spec import endpoint_spec
from deploy.local.vectors import embed

PORTS_TRIED = 20


def main(folder: Path) -> int:
    """Serve until SIGTERM or SIGINT. Returns 1 if another emulator uses the folder."""
    lock = state_folder.take_lock(folder)
    if lock is None:
        return 1
    with lock:
        asyncio.run(_serve(folder, lock))
    return 0


async def _serve(folder: Path, lock: TextIO) -> None:
    plan = json.loads((folder / state_folder.PLAN).read_text(encoding="utf-8"))
    plane, specs = ControlPlane(), [endpoint_spec(values) for values in plan["endpoints"]]
    for spec in specs:
        plane.put(spec)
    with _bind_near(plan["port"]) as listening:
        state_folder.write(folder / state_folder.URL, f"http://{HOST}:{listening.getsockname()[1]}")
        if slow := [spec for spec in specs if spec.task == "embed" and spec.model == "local"]:
            # Loading the model takes seconds: start now rather than at the first request.
            threading.Thread(target=embed, args=(["준비"], slow[0]), daemon=True).start()
        serving = uvicorn.Server(config(with_transport(application(plane))))
        watching = asyncio.create_task(_end_with_folder(serving, folder, lock))
        await serving.serve(sockets=[listening])
        watching.cancel()


async def _end_with_folder(serving: uvicorn.Server, folder: Path, lock: TextIO) -> None:
    while state_folder.is_current_lock(lock, folder):
        await asyncio.sleep(1.0)
    serving.should_exit = True


def _bind_near(port: int) -> socket.socket:
    """Bind the preferred port or the next free one; any port if PORTS_TRIED are in use or `port` is 0."""
    for candidate in range(port, min(port + PORTS_TRIED, 65536) if port else 0):
        try:
            return bind(candidate)
        except OSError:
            continue
    return bind(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
