"""The commands of `python -m deploy --target local`."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from deploy import probes
from deploy import stack as stacks
from deploy.local import process, search
from deploy.local.client import EmulatorClient
from deploy.local.errors import REGION
from deploy.local.process import Running
from deploy.local.spec import stack_endpoints
from deploy.local.vectors import PASSAGE, QUERY
from deploy.stack import Stack
from rag.errors import ModelUnavailable

NOT_RUNNING = "the emulator is not running; start it with `python -m deploy up --target local`"


def plan(path: Path | None) -> None:
    """Print what `up` would start."""
    stack = stacks.load(path or stacks.DEFAULT)
    running, desired = process.find(), _emulator_plan(stack)
    same = running is not None and process.plan() == desired
    print(f"{'= keep' if same else '+ start':12}the emulator of SageMaker" + (f" at {running.url}" if running else ""))
    for spec in stack_endpoints(stack):
        print(f"{'= keep' if same else '+ create':12}endpoint {spec.name}: {spec.task}, {spec.format}")
    if stack.opensearch:
        print(f"{'+ start':12}an OpenSearch node, unless it is running; {search.status()}")
    print("cost: nothing; everything runs locally")


def up(path: Path | None) -> None:
    """Start the emulator unless it is running with the same stack, and the OpenSearch node of the stack."""
    stack = stacks.load(path or stacks.DEFAULT)
    emulator, started = process.start(_emulator_plan(stack))
    _wait_for_endpoints(EmulatorClient(emulator.url))
    print(f"the emulator {'runs' if started else 'already runs'} at {emulator.url} (process {emulator.pid})")
    if stack.opensearch:
        print(search.up())
    stack_option = f" --stack {shlex.quote(str(path))}" if path else ""
    print(f'next: eval "$(python -m deploy env --target local{stack_option})" && make chat')


def test(path: Path | None) -> None:
    """Send requests to the emulated endpoints and the node as the chatbot does. Raises ModelUnavailable, DeployError."""
    emulator = _running()
    os.environ.update(variables(emulator.url, {}))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    stack = stacks.load(path or stacks.DEFAULT)
    for line in probes.probe(_emulated(stack), REGION, emulated=True):
        print(line)
    for line in search.test() if stack.opensearch else ():
        print(line)


def env(path: Path | None) -> None:
    """Print shell commands that set the chatbot's settings. Raises ModelUnavailable if the emulator is not running."""
    emulator = _running()
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in variables(emulator.url, process.plan()["settings"]).items():
        print(f"export {name}={shlex.quote(value)}")
    if stacks.load(path or stacks.DEFAULT).opensearch:
        for line in search.environment():
            print(line)


def variables(url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for the chatbot and boto3. The credentials are dummies: the emulator only requires a signature."""
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        **settings,
    }


def status(path: Path | None) -> None:
    """Print the state of the search server, the emulator and its endpoints, with counts of requests."""
    if stacks.load(path or stacks.DEFAULT).opensearch:
        print(search.status())
    emulator = process.find()
    if emulator is None:
        print("the emulator is not running")
        return
    print(f"the emulator runs at {emulator.url} (process {emulator.pid})")
    for name, endpoint in EmulatorClient(emulator.url).show()["endpoints"].items():
        spec, counts = endpoint["spec"], endpoint["stats"]["counts"]
        print(
            f"  {name:24}{endpoint['state']:12}{spec['task']:10}{spec['format']:12}{counts.get('requests', 0)} requests"
        )


def down(_path: Path | None) -> None:
    """Stop the emulator and the node, and delete their files."""
    if search.down():
        print("OpenSearch is stopped, and its data are deleted")
    print("the emulator is stopped" if process.stop() else "no emulator is running; nothing is left")


def _emulator_plan(stack: Stack) -> dict[str, object]:
    endpoints = [spec.model_dump(mode="json") for spec in stack_endpoints(stack)]
    return {"port": stack.local.port, "endpoints": endpoints, "settings": dict(stacks.settings(_emulated(stack)))}


def _emulated(stack: Stack) -> Stack:
    """The stack as emulated: its embedding has the dimension and the prefixes of the emulator's model."""
    if not stack.embedding:
        return stack
    model: dict[str, str | None] = {"dimension": None}
    if stack.local.embedding.get("model", "local") == "local":
        model |= {"query_prefix": QUERY, "passage_prefix": PASSAGE}
    return stack.model_copy(update={"embedding": stack.embedding.model_copy(update=model)})


def _wait_for_endpoints(emulator: EmulatorClient) -> None:
    """Wait until no endpoint is in state Creating. Raises ModelUnavailable with the reason if one failed."""
    endpoints = emulator.show()["endpoints"]
    while any(each["state"] == "Creating" for each in endpoints.values()):
        time.sleep(0.2)
        endpoints = emulator.show()["endpoints"]
    for name, each in endpoints.items():
        if each["state"] == "Failed":
            raise ModelUnavailable(f"the endpoint {name} cannot be created: {each['spec']['failure']}")


def _running() -> Running:
    emulator = process.find()
    if emulator is None:
        raise ModelUnavailable(NOT_RUNNING)
    return emulator
