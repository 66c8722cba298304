"""An empty AWS account for each test."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import stack as stacks
from deploy.local.server import running
from deploy.stack import Stack
from tests.deploy.aws.account import REGION, Account, moto, session

ROOT = Path(__file__).parents[3]
FULL = """
name = "full"
[tags]
project = "faq"
[embedding]
endpoint_name = "full-embedding"
model = "BM-K/KoSimCSE-roberta"
container = "huggingface"
instance_type = "ml.g5.xlarge"
format = "embeddings"
handler = "kosimcse"
[embedding.environment]
FSI_EMULATOR = '{"format": "embeddings", "model": "hashed"}'
[llm]
endpoint_name = "full-llm"
model = "kakaocorp/kanana-1.5-8b-instruct-2505"
container = "lmi"
instance_type = "ml.g5.2xlarge"
format = "openai"
context_window = 8192
[opensearch]
domain_name = "full"
addresses = ["203.0.113.7/32"]
[autoscaling]
max_instances = 3
[schedule]
"""


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    with running() as emulator:
        for name, value in {
            "AWS_ENDPOINT_URL": moto_url,
            "AWS_ENDPOINT_URL_SAGEMAKER": emulator.url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": emulator.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        made = Account(session(), emulator)
        made.watch()
        yield made
        for client in made.clients.values():
            client.close()


@pytest.fixture
def full(tmp_path: Path) -> Stack:
    """A stack with everything: a handler, both endpoints, a domain, autoscaling, a schedule."""
    return written(tmp_path, FULL)


def written(folder: Path, text: str) -> Stack:
    path = folder / "stack.toml"
    path.write_text(text, encoding="utf-8")
    return stacks.load(path)
