"""The stack file: validation, settings for the chatbot, containers and cost."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deploy import containers, costs
from deploy import stack as stacks
from deploy.aws import report
from deploy.sizing import size
from deploy.stack import OpenSearch, Stack
from rag.errors import SettingsError
from rag.settings import list_settings

ROOT = Path(__file__).parents[2]
EMBEDDING = (
    'endpoint_name = "e"\nformat = "hf"\nmodel = "m"\ncontainer = "huggingface"\ninstance_type = "ml.g5.xlarge"\n'
)
LLM = 'endpoint_name = "l"\nformat = "lmi"\nmodel = "m"\ncontainer = "lmi"\ninstance_type = "ml.g5.2xlarge"\n'


def stack(text: str) -> Stack:
    return Stack.model_validate(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[llm]\n{LLM}[llm.environment]\nHF_TOKEN = 'hf_x'", "HF_TOKEN looks like a secret"),
        (f"[llm]\n{LLM}[llm.environment]\nMy_Api_Key = 'x'", "My_Api_Key looks like a secret"),
        (f'[embedding]\n{EMBEDDING}[llm]\n{LLM.replace(chr(34) + "l" + chr(34), chr(34) + "e" + chr(34))}', "must not share"),
        (f'[llm]\n{LLM}handler = "a"\nmodel_data = "s3://b/c"', "set only one of handler"),
        (f"[llm]\n{LLM}[network]\nisolation = true", "network.isolation needs llm.model_folder or llm.model_data"),
        ('[network]\nsubnets = ["subnet-1"]', "set both subnets and security_groups"),
        ('[opensearch]\ndomain_name = "faq"', 'access = "ip" needs addresses'),
        ('[opensearch]\ndomain_name = "faq"\naddresses = ["0.0.0.0/0"]', "/0 would open the domain to everybody"),
        ('[opensearch]\ndomain_name = "faq"\naccess = "role"', 'access = "role" needs role_arn'),
        ('[opensearch]\ndomain_name = "faq"\naccess = "vpc"', 'access = "vpc" needs network.subnets'),
        ('[opensearch]\ndomain_name = "faq"\nnodes = 5\naddresses = ["1.2.3.4"]', "expected 1, or a multiple of 2 or 3"),
        (
            '[opensearch]\ndomain_name = "faq"\naccess = "vpc"\nnodes = 3\n'
            '[network]\nsubnets = ["a", "b"]\nsecurity_groups = ["c"]',
            "opensearch.nodes needs network.subnets in 3 zones",
        ),
        ("[autoscaling]\nmin_instances = 3", "max_instances is below min_instances"),
        ('[schedule]\non = "20:00"\noff = "08:00"', "on must be before off"),
        ('[schedule]\non = "24:00"', "schedule.on"),
        ("[budget]\nmonthly_usd = 0", "budget.monthly_usd"),
        ('[tags]\nfsi-stack = "x"', "begin with aws: or fsi- are reserved"),
        ('name = "UPPER"', "name: String should match"),
        ('region = "seoul"', "region"),
        (f'[llm]\n{LLM}gpus = 1', "llm.gpus: Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "stack.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"stack\.toml: ") as caught:
        stacks.load(path)
    assert words in str(caught.value)
    assert "hf_x" not in str(caught.value)


@pytest.mark.parametrize("path", [stacks.DEFAULT, *sorted((ROOT / "deploy" / "stacks").glob("*.toml"))], ids=str)
def test_the_bundled_stacks_set_existing_settings(path: Path) -> None:
    settings = dict(stacks.settings(stacks.load(path)))
    assert {name for name, _, _ in list_settings()} >= set(settings)
    assert settings["FSI_EMBEDDING__BACKEND"] == settings["FSI_LLM__BACKEND"] == "sagemaker"


def test_the_workshops_stack_is_the_workshops() -> None:
    small, large = (stacks.load(ROOT / "deploy" / "stacks" / f"workshop{size}.toml") for size in ("", "-12.8b"))
    for each, model, instance in ((small, "5.8b", "ml.g5.2xlarge"), (large, "12.8b", "ml.g5.12xlarge")):
        assert each.embedding and each.llm and each.opensearch
        assert each.embedding.model == "BM-K/KoSimCSE-roberta"
        assert each.llm.model == f"nlpai-lab/kullm-polyglot-{model}-v2" and each.llm.instance_type == instance
        assert (each.llm.format, each.llm.context_window) == ("lmi", 2048)


REGION = "ap-northeast-2"


def container(text: str) -> dict[str, Any]:
    _, endpoint = stack(text).endpoints()[0]
    image = containers.image(endpoint, REGION)
    environment = containers.environment(endpoint)
    return {"image": image.partition("/")[2].partition(":")[0], "ami": containers.ami(endpoint, image), **environment}


def test_the_environment_of_each_container() -> None:
    new, old = "al2023-ami-sagemaker-inference-gpu-4-1", "al2-ami-sagemaker-inference-gpu-3-1"
    hf = f"[embedding]\n{EMBEDDING}"
    tei = hf.replace('"huggingface"', '"tei"').replace('"hf"', '"tei"\npooling = "cls"\nrevision = "v1"')
    assert container(hf) == {
        "image": "huggingface-pytorch-inference", "ami": old, "HF_MODEL_ID": "m", "HF_TASK": "feature-extraction",
    }  # fmt: skip
    assert container(tei) == {
        "image": "tei", "ami": old, "HF_MODEL_ID": "m", "HF_MODEL_REVISION": "v1", "POOLING": "cls", "AUTO_TRUNCATE": "true",
    }  # fmt: skip
    assert container(tei.replace("ml.g5.xlarge", "ml.c5.xlarge"))["image"] == "tei-cpu"
    assert container(tei.replace("ml.g5.xlarge", "ml.c5.xlarge"))["ami"] is None
    lmi = f'[llm]\n{LLM}context_window = 2048\nrevision = "v1"\n[llm.environment]\nOPTION_DTYPE = "fp16"'
    assert container(lmi) == {
        "image": "djl-inference", "ami": new, "HF_MODEL_ID": "m", "HF_REVISION": "v1",
        "TENSOR_PARALLEL_DEGREE": "max", "OPTION_MAX_MODEL_LEN": "2048", "OPTION_DTYPE": "fp16",
    }  # fmt: skip
    vllm = lmi.replace('"lmi"\nm', '"openai"\nm').replace('container = "lmi"', 'container = "vllm"')
    assert {"image": "vllm", "ami": new, "SM_VLLM_MODEL": "m", "SM_VLLM_MAX_MODEL_LEN": "2048"}.items() <= container(
        vllm
    ).items()
    tgi = lmi.replace('container = "lmi"', 'container = "tgi"')
    assert {"image": "huggingface-pytorch-tgi-inference", "MAX_TOTAL_TOKENS": "2048"}.items() <= container(tgi).items()
    assert container(hf + 'image = "1.dkr.ecr.x/own:2-cu130"\nami = "theirs"')["ami"] == "theirs"
    in_s3 = container(hf + 'model_data = "s3://bucket/model"\nrevision = "v1"')
    assert in_s3["HF_MODEL_ID"] == "/opt/ml/model" and "HF_MODEL_REVISION" not in in_s3


def test_the_pinned_images_are_those_of_the_sagemaker_package() -> None:
    """In a separate process, because the package takes 200 MB and warns."""
    script = "from deploy import pin_images; print(pin_images.to_toml(pin_images.table()), end='')"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout == containers.TABLE.read_text(encoding="utf-8"), "run `python -m deploy.pin_images`"


def test_every_instance_type_of_the_stacks_has_a_price() -> None:
    for path in (stacks.DEFAULT, *(ROOT / "deploy" / "stacks").glob("*.toml")):
        lines = costs.costs(stacks.load(path), "us-east-1")
        assert costs.total(lines, "month") and costs.total(lines, "hour")


def test_costs_count_instances_hours_and_the_most() -> None:
    text = f'[llm]\n{LLM}instances = 2\n[autoscaling]\nmax_instances = 4\n[prices]\n"ml.g5.2xlarge" = 10'
    line = costs.costs(stack(text), REGION)[0]
    assert (line.hour, line.month, line.most) == (20, 14600, 29200)
    nights = costs.costs(stack(text + "\n[schedule]"), REGION)[0]
    assert nights.month == pytest.approx(20 * 60 / 168 * 730)
    assert "261 h a month" in nights.amount


def test_a_region_has_its_factor_and_an_unknown_price_stays_unknown() -> None:
    text = f"[llm]\n{LLM}"
    here, there = (costs.costs(stack(text), region)[0].hour for region in (REGION, "us-east-1"))
    assert here and there and here == pytest.approx(1.23 * there, abs=1e-4)
    unknown = costs.costs(stack(text.replace("ml.g5.2xlarge", "ml.p9.2xlarge")), REGION)
    assert costs.total(unknown, "month") is None
    assert "unknown" in "\n".join(report.cost_table(unknown, stack(text)))


def test_the_table_has_its_date_and_that_it_was_not_verified() -> None:
    text = "\n".join(report.cost_table(costs.costs(stack(f"[llm]\n{LLM}"), REGION), stack("")))
    assert f"prices of {costs.table()['as_of']}, not verified" in text


@pytest.mark.parametrize(
    ("vectors", "nodes", "instance", "storage"),
    [
        (10_000, 1, "t3.small.search", 10),
        (300_000, 1, "t3.medium.search", 9),
        (1_000_000, 1, "r6g.large.search", 28),
        (1_000_000, 2, "r6g.large.search", 28),
        (10_000_000, 1, "r6g.8xlarge.search", 276),
    ],
)
def test_a_domain_is_as_large_as_its_vectors(vectors: int, nodes: int, instance: str, storage: int) -> None:
    wanted = OpenSearch(domain_name="faq", vectors=vectors, nodes=nodes, addresses=("203.0.113.7/32",))
    found = size(wanted)
    assert found.instance_type == instance
    assert storage <= found.storage_gb <= storage * 1.2
    assert found.graph_gb <= 0.25 * 256
    own = wanted.model_copy(update={"instance_type": "m6g.large.search", "storage_gb": 99})
    assert (size(own).instance_type, size(own).storage_gb) == ("m6g.large.search", 99)
