"""`python -m deploy … --target local` in separate processes and a temporary folder.

Most of them are forks (`tests.forks`), because a process of users' own imports for half a second before each of fifty commands.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import psutil
import pytest

from deploy.local import opensearch_node, process, search, state_folder
from deploy.local.spec import stack_endpoints
from tests import forks
from tests.deploy.conftest import client

ROOT = Path(__file__).parents[2]
STACK = """
[embedding]
endpoint_name = "emb"
format = "hf"
pooling = "cls"

[llm]
endpoint_name = "llm"
format = "tgi"
context_window = 2048

[local]
port = {port}
embedding = {{ model = "hashed" }}
llm = {{ latency_ms = 1 }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    process.stop(tmp_path / state_folder.FOLDER)
    opensearch_node.stop(tmp_path / search.FOLDER)


MODULE = [sys.executable, "-m", "deploy"]
"""As its users start it."""
FORK = "import sys; from deploy.__main__ import main; sys.exit(main(sys.argv[1:]))"


def started(folder: Path, *arguments: str, module: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MODULE, *arguments] if module else forks.command(FORK, *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(command: subprocess.Popen[str], code: int = 0) -> str:
    """Standard output, or standard error if the command must fail."""
    output, errors = command.communicate(timeout=120)
    assert command.returncode == code, errors
    return errors if code else output


def local(folder: Path, command: str, *, port: int = 0) -> subprocess.Popen[str]:
    (folder / "stack.toml").write_text(STACK.format(port=port), encoding="utf-8")
    return started(folder, command, "--target", "local", "--stack", "stack.toml")


def deploy(folder: Path, command: str, *, port: int = 0, code: int = 0) -> str:
    return output_of(local(folder, command, port=port), code)


def find_emulator(folder: Path) -> process.Running:
    running = process.find(folder / state_folder.FOLDER)
    assert running
    return running


def exported(lines: str) -> dict[str, str]:
    words = [shlex.split(line) for line in lines.splitlines()]
    return dict(word[1].split("=", 1) for word in words if word[0] == "export")


def test_up_env_status_down_twice_each(folder: Path) -> None:
    first = deploy(folder, "up")
    running = find_emulator(folder)
    assert f"the emulator runs at {running.url} (process {running.pid})" in first
    assert f"already runs at {running.url} (process {running.pid})" in deploy(folder, "up")

    environment = exported(deploy(folder, "env"))
    assert environment == {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": running.url,
        "AWS_ENDPOINT_URL_SAGEMAKER": running.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_REGION": "ap-northeast-2",
        "FSI_EMBEDDING__BACKEND": "sagemaker",
        "FSI_EMBEDDING__ENDPOINT_NAME": "emb",
        "FSI_EMBEDDING__FORMAT": "hf",
        "FSI_EMBEDDING__POOLING": "cls",
        "FSI_LLM__BACKEND": "sagemaker",
        "FSI_LLM__ENDPOINT_NAME": "llm",
        "FSI_LLM__FORMAT": "tgi",
        "FSI_LLM__CONTEXT_WINDOW": "2048",
    }
    with client("sagemaker-runtime", running.url) as runtime:
        body = orjson.dumps({"inputs": "[1] 무료입니다.\n질문: 수수료"})
        answer = orjson.loads(runtime.invoke_endpoint(EndpointName="llm", Body=body)["Body"].read())
    assert answer == [{"generated_text": "무료입니다. [1]"}]
    assert "llm" in deploy(folder, "status") and "InService" in deploy(folder, "status")

    assert "is stopped" in deploy(folder, "down")
    assert "nothing is left" in deploy(folder, "down")
    assert [path.name for path in folder.iterdir()] == ["stack.toml"]
    assert not alive(running.pid)
    assert "is not running; start it with `python -m deploy up" in deploy(folder, "env", code=1)
    assert "is not running" in deploy(folder, "status")


def alive(pid: int) -> bool:
    """Whether the process is alive, zombies excluded."""
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def test_the_shell_lines_work_in_a_shell(folder: Path) -> None:
    deploy(folder, "up")
    (folder / "env.sh").write_text(deploy(folder, "env"), encoding="utf-8")
    script = 'set -eu; . ./env.sh; echo "$FSI_LLM__FORMAT $AWS_ENDPOINT_URL_SAGEMAKER ${AWS_PROFILE-none}"'
    environment = {"PATH": os.environ["PATH"], "AWS_PROFILE": "mine"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["tgi", find_emulator(folder).url, "none"]


def test_a_killed_emulator_is_started_again_or_cleaned_up(folder: Path) -> None:
    deploy(folder, "up")
    before = find_emulator(folder)
    os.kill(before.pid, signal.SIGKILL)
    wait_until_gone(folder)
    assert "is not running" in deploy(folder, "status")
    deploy(folder, "up")
    after = find_emulator(folder)
    assert after.pid != before.pid
    os.kill(after.pid, signal.SIGKILL)
    wait_until_gone(folder)
    assert "nothing is left" in deploy(folder, "down")
    assert not (folder / ".fsi").exists()


def test_an_emulator_whose_folder_is_removed_ends(folder: Path) -> None:
    deploy(folder, "up")
    pid = find_emulator(folder).pid
    shutil.rmtree(folder / ".fsi")
    end = time.monotonic() + 60
    while alive(pid):
        assert time.monotonic() < end
        time.sleep(0.1)


def wait_until_gone(folder: Path) -> None:
    end = time.monotonic() + 30
    while state_folder.owner_pid(folder / state_folder.FOLDER):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_emulator_that_ignores_sigterm_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(folder, "up")
    monkeypatch.setattr(process, "STOP_SECONDS", 0.3)
    os.kill(find_emulator(folder).pid, signal.SIGSTOP)
    assert process.stop(folder / state_folder.FOLDER)
    assert not (folder / ".fsi").exists()


def test_a_taken_port_is_skipped(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        deploy(folder, "up", port=port)
        used = int(find_emulator(folder).url.rpartition(":")[2])
        assert used != port
    assert exported(deploy(folder, "env", port=port))["AWS_ENDPOINT_URL_SAGEMAKER"].endswith(f":{used}")


def test_another_stack_takes_the_place_of_the_first(folder: Path) -> None:
    deploy(folder, "up", port=0)
    before = find_emulator(folder)
    free = int(before.url.rpartition(":")[2])
    deploy(folder, "up", port=free)
    after = find_emulator(folder)
    assert after.pid != before.pid
    assert not alive(before.pid)
    assert after.url == before.url


def test_two_concurrent_starts_make_one(folder: Path) -> None:
    both = [local(folder, "up"), local(folder, "up")]
    lines = [output_of(each) for each in both]
    assert all(find_emulator(folder).url in line for line in lines)


def test_the_default_stack_is_right_and_embeds_with_the_local_model() -> None:
    from deploy import stack

    embed, llm = stack_endpoints(stack.load())
    assert (embed.task, embed.model, llm.task) == ("embed", "local", "generate")
    assert llm.can_stream


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[embedding]\nendpoint_name = 'e'\nformat = 'lmi'", "embedding.format: Input should be 'hf'"),
        ("[llm]\nendpoint_name = 'a b'\nformat = 'lmi'", "llm.endpoint_name"),
        ("[other]", "other: Extra inputs are not permitted"),
        ("[llm\n", "is not TOML"),
        ("[llm]\nendpoint_name='e'\nformat='lmi'\n[local.llm]\nlatency='1'", "endpoint e: latency: Extra inputs"),
    ],
)
def test_a_wrong_stack_is_refused_in_one_line(folder: Path, text: str, words: str) -> None:
    (folder / "wrong.toml").write_text(text, encoding="utf-8")
    line = output_of(started(folder, "up", "--target", "local", "--stack", "wrong.toml"), 1)
    assert line.startswith("error: ") and line.count("\n") == 1
    assert words in line
    assert not (folder / ".fsi").exists()


def test_up_waits_for_its_endpoints_and_says_why_one_failed(folder: Path) -> None:
    slow = STACK.replace("latency_ms = 1", 'ready_seconds = 0.5, failure = "no capacity"').format(port=0)
    (folder / "failing.toml").write_text(slow, encoding="utf-8")
    line = output_of(started(folder, "up", "--target", "local", "--stack", "failing.toml"), 1)
    assert line == "error: the endpoint llm cannot be created: no capacity\n"
    assert "Failed" in deploy(folder, "status")


def test_plan_and_test(folder: Path) -> None:
    assert "+ start" in deploy(folder, "plan") and "cost: nothing" in deploy(folder, "plan")
    assert "is not running; start it" in deploy(folder, "test", code=1)
    (folder / "local.toml").write_text(PLAIN, encoding="utf-8")
    for command, words in (
        ("up", "runs at http"),
        ("plan", "= keep      endpoint e: embed, tei"),
        ("test", "e: dimension 384"),
    ):
        assert words in output_of(started(folder, command, "--target", "local", "--stack", "local.toml"))


PLAIN = """
[embedding]
endpoint_name = "e"
format = "tei"
dimension = 1024
[llm]
endpoint_name = "l"
format = "openai"
[local]
port = 0
"""


def test_a_stack_with_opensearch_from_nothing_to_nothing(folder: Path) -> None:
    """Every command twice, with a real server."""
    text = (
        PLAIN + '[local.embedding]\nmodel = "hashed"\n[opensearch]\ndomain_name = "faq"\naddresses = ["127.0.0.1/32"]'
    )
    (folder / "local.toml").write_text(text, encoding="utf-8")

    def local_stack(command: str, code: int = 0) -> str:
        return output_of(started(folder, command, "--target", "local", "--stack", "local.toml", module=True), code)

    assert "OpenSearch is not running" in local_stack("plan")
    assert "OpenSearch 2.19.1 runs at https://" in local_stack("up")
    assert "OpenSearch 2.19.1 already runs at https://" in local_stack("up")
    assert "OpenSearch 2.19.1 runs at https://" in local_stack("status")
    for _ in range(2):
        assert "written, found by text and by vector, deleted" in local_stack("test")
    lines = local_stack("env")
    node = opensearch_node.find(folder / search.FOLDER)
    assert node and node.password not in lines
    script = lines + 'printf %s "$FSI_OPENSEARCH__PASSWORD $FSI_OPENSEARCH__URL $FSI_STORE__BACKEND"'
    done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == f"{node.password} {node.url} opensearch"
    assert "its data are deleted" in local_stack("down")
    assert "nothing is left" in local_stack("down")
    assert not (folder / ".fsi").exists() and not alive(node.pid)
    assert "is not running" in local_stack("env", code=1)


def test_wrong_usage(folder: Path) -> None:
    assert "usage:" in output_of(started(folder, "upp", module=True), 2)
    assert "cannot be read" in output_of(started(folder, "up", "--target", "local", "--stack", "none.toml"), 1)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, deploy.__main__\n"
        "try: deploy.__main__.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'numpy', 'pydantic', 'starlette', 'uvicorn', 'llama_index', 'orjson'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(command in done.stdout for command in ("plan", "up", "status", "test", "env", "down"))
