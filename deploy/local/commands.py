"""What `python -m deploy COMMAND --target local` does."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from deploy import stack as stacks
from deploy.local import process
from deploy.local.client import EmulatorClient
from deploy.local.wire import REGION
from rag.errors import ModelUnavailable


def up(path: Path | None) -> None:
    """Start the emulator, or find it running with the same stack."""
    stack = stacks.load(path or stacks.DEFAULT)
    endpoints = [spec.model_dump(mode="json") for spec in stacks.local_endpoints(stack)]
    plan = {"port": stack.local.port, "endpoints": endpoints, "settings": dict(stacks.settings(stack))}
    found, started = process.start(plan)
    _wait_for_endpoints(EmulatorClient(found.url))
    print(f"the emulator {'runs' if started else 'already runs'} at {found.url} (process {found.pid})")
    print('next: eval "$(python -m deploy env --target local)" && make chat')


def _wait_for_endpoints(emulator: EmulatorClient) -> None:
    """Until none is being created. Raises ModelUnavailable with the reason where one failed."""
    while (
        "Creating" in (states := {name: each["state"] for name, each in emulator.show()["endpoints"].items()}).values()
    ):
        time.sleep(0.2)
    if failed := [name for name, state in states.items() if state == "Failed"]:
        reason = emulator.show()["endpoints"][failed[0]]["spec"]["failure"]
        raise ModelUnavailable(f"the endpoint {failed[0]} cannot be created: {reason}")


def env(_path: Path | None) -> None:
    """Shell lines for what runs. Raises ModelUnavailable where nothing does: no output would leave the chatbot as it was."""
    found = process.find()
    if found is None:
        raise ModelUnavailable("the emulator does not run; start it with `python -m deploy up --target local`")
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in variables(found.url, process.plan()["settings"]).items():
        print(f"export {name}={shlex.quote(value)}")


def variables(url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What the chatbot and boto3 read. The credentials are none: the emulator only looks whether requests are signed."""
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        **settings,
    }


def status(_path: Path | None) -> None:
    """The emulator and its endpoints, with what they have been asked."""
    found = process.find()
    if found is None:
        print("the emulator does not run")
        return
    print(f"the emulator runs at {found.url} (process {found.pid})")
    for name, endpoint in EmulatorClient(found.url).show()["endpoints"].items():
        spec, counts = endpoint["spec"], endpoint["stats"]["counts"]
        print(
            f"  {name:24}{endpoint['state']:12}{spec['task']:10}{spec['format']:12}{counts.get('requests', 0)} requests"
        )


def down(_path: Path | None) -> None:
    """Stop the emulator and remove its files."""
    print("the emulator is stopped" if process.stop() else "no emulator runs; nothing is left")
