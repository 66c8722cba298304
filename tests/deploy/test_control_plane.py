"""The control plane through boto3, and the states of an endpoint with a fake clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import orjson
import pytest
from botocore.exceptions import ClientError, WaiterError

from deploy.local.control import ControlPlane
from deploy.local.images import spec_for_container
from deploy.local.resources import ControlError
from rag.errors import SettingsError
from tests.deploy.conftest import Run, Service, client, embedder

ROLE = "arn:aws:iam::000000000000:role/faq"
TAGS = [{"Key": "project", "Value": "faq"}, {"Key": "owner", "Value": "kim"}]
LMI = "763104351884.dkr.ecr.ap-northeast-2.amazonaws.com/djl-inference:0.36.0-lmi27.0.0-cu130"
HASHED = {"task": "embed", "format": "tei", "model": "hashed"}


@pytest.fixture
def service(run: Run) -> Service:
    return run()


@pytest.fixture
def control(service: Service) -> Iterator[Any]:
    with client("sagemaker", service.emulator.url) as made:
        yield made


def create(control: Any, name: str, image: str = "emulator", **emulated: Any) -> None:
    environment = {"FSI_EMULATOR": orjson.dumps(emulated).decode()} if emulated else {}
    control.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image, "Environment": environment}, Tags=TAGS
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.g5.xlarge",
    }
    control.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=TAGS)
    control.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=TAGS)


def test_lifecycle_of_an_endpoint(service: Service, control: Any) -> None:
    create(control, "faq", **HASHED)
    control.get_waiter("endpoint_in_service").wait(EndpointName="faq", WaiterConfig={"Delay": 0, "MaxAttempts": 5})
    described = control.describe_endpoint(EndpointName="faq")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "faq"
    assert described["EndpointArn"] == "arn:aws:sagemaker:ap-northeast-2:000000000000:endpoint/faq"
    config = control.describe_endpoint_config(EndpointConfigName="faq")
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.g5.xlarge"
    assert control.describe_model(ModelName="faq")["ExecutionRoleArn"] == ROLE
    assert len(service.invoke("faq", {"inputs": ["가"]})) == 1

    control.delete_endpoint(EndpointName="faq")
    control.get_waiter("endpoint_deleted").wait(EndpointName="faq", WaiterConfig={"Delay": 0, "MaxAttempts": 5})
    control.delete_endpoint_config(EndpointConfigName="faq")
    control.delete_model(ModelName="faq")
    assert control.list_endpoints()["Endpoints"] == control.list_models()["Models"] == []
    assert control.list_endpoint_configs()["EndpointConfigs"] == []
    with pytest.raises(ClientError, match="Endpoint faq of account 000000000000 not found"):
        service.invoke("faq", {"inputs": ["가"]})


def test_images_say_what_is_served(service: Service, control: Any) -> None:
    create(control, "llm", LMI)
    assert "generated_text" in service.invoke("llm", {"inputs": "[1] 수수료는 없습니다.\n질문: 수수료"})


def test_a_failed_endpoint_keeps_its_reason(service: Service, control: Any) -> None:
    create(control, "faq", **HASHED, failure="The primary container did not pass the ping health check.")
    with pytest.raises(WaiterError) as caught:
        control.get_waiter("endpoint_in_service").wait(EndpointName="faq", WaiterConfig={"Delay": 0, "MaxAttempts": 3})
    assert caught.value.last_response["FailureReason"] == "The primary container did not pass the ping health check."
    with pytest.raises(ClientError, match="not found"):
        service.invoke("faq", {"inputs": ["가"]})
    control.delete_endpoint(EndpointName="faq")


def test_tags(control: Any) -> None:
    create(control, "faq", **HASHED)
    arn = control.describe_endpoint(EndpointName="faq")["EndpointArn"]
    control.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "lee"}])
    control.delete_tags(ResourceArn=arn, TagKeys=["project", "absent"])
    assert control.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "lee"}]
    model = control.describe_model(ModelName="faq")
    assert "Tags" not in model
    assert control.list_tags(ResourceArn=model["ModelArn"])["Tags"] == TAGS
    with pytest.raises(ClientError, match="does not exist"):
        control.list_tags(ResourceArn=arn + "x")


def test_lists_are_filtered_ordered_and_paged(control: Any) -> None:
    for name in ("faq-a", "faq-b", "other"):
        create(control, name, **HASHED)
    pages = control.get_paginator("list_endpoints").paginate(
        NameContains="faq", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    assert [[row["EndpointName"] for row in page["Endpoints"]] for page in pages] == [["faq-a"], ["faq-b"]]
    assert control.list_endpoints(StatusEquals="Failed")["Endpoints"] == []
    newest = control.list_models()["Models"]
    assert [row["ModelName"] for row in newest] == ["other", "faq-b", "faq-a"]


def test_what_is_refused(control: Any) -> None:
    create(control, "faq", **HASHED)
    for ask, words in (
        (lambda: create(control, "faq", **HASHED), "Cannot create already existing model"),
        (lambda: control.describe_endpoint(EndpointName="none"), r'Could not find endpoint "arn:aws:sagemaker:.*none"'),
        (lambda: control.delete_model(ModelName="none"), "Could not find model"),
        (
            lambda: control.create_endpoint(EndpointName="new", EndpointConfigName="none"),
            "Could not find endpoint configuration",
        ),
        (lambda: create(control, "unknown", image="my/own"), "does not know this container"),
        (lambda: create(control, "wrong", task="embed", format="lmi"), "expected a format of task 'embed': hf, tei"),
    ):
        with pytest.raises(ClientError, match=words) as caught:
            ask()
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="CreateDomain is not emulated"):
        control.create_domain(
            DomainName="d", AuthMode="IAM", DefaultUserSettings={"ExecutionRole": ROLE}, VpcId="v", SubnetIds=["s"]
        )


def test_unsigned_requests_and_unknown_targets_are_refused(run: Run) -> None:
    from botocore import UNSIGNED

    service = run(embedder(), embedder(name="with-components", inference_components=["c1"]))
    with (
        client("sagemaker-runtime", service.emulator.url, signature_version=UNSIGNED) as unsigned,
        pytest.raises(ClientError, match="Missing Authentication Token"),
    ):
        unsigned.invoke_endpoint(EndpointName="emb", Body=b"{}")
    body = {"inputs": ["가"]}
    for name, more, words in (
        ("emb", {"TargetVariant": "Blue"}, "Variant Blue not found"),
        ("emb", {"InferenceComponentName": "c1"}, "Inference Component c1 not found"),
        ("with-components", {}, "header is required"),
        ("with-components", {"InferenceComponentName": "c2"}, "c2 not found"),
    ):
        with pytest.raises(service.runtime.exceptions.ValidationError, match=words):
            service.invoke(name, body, **more)
    assert service.invoke("with-components", body, InferenceComponentName="c1", TargetVariant="AllTraffic")
    assert service.emulator.stats("with-components")["last_headers"] == {
        "x-amzn-sagemaker-inference-component": "c1",
        "x-amzn-sagemaker-target-variant": "AllTraffic",
    }
    response = service.runtime.invoke_endpoint(EndpointName="emb", Body=orjson.dumps(body), SessionId="NEW_SESSION")
    assert response["NewSessionId"].startswith("session-1")
    response["Body"].close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def plane_with(update: Mapping[str, Any] | None = None, /, **emulated: Any) -> tuple[ControlPlane, Clock]:
    """An endpoint with configuration "one", and a second one "two"; `update`: further fields of the latter."""
    later = {**HASHED, "dimension": 8, "ready_seconds": 10, **(update or {})}
    clock = Clock()
    plane = ControlPlane(clock=clock, delete_seconds=5)
    for name, fields in (("one", emulated), ("two", later)):
        container = {"Image": "x", "Environment": {"FSI_EMULATOR": orjson.dumps(fields).decode()}}
        plane.call("CreateModel", {"ModelName": name, "PrimaryContainer": container})
        plane.call("CreateEndpointConfig", {"EndpointConfigName": name, "ProductionVariants": [{"ModelName": name}]})
    plane.call("CreateEndpoint", {"EndpointName": "faq", "EndpointConfigName": "one"})
    return plane, clock


def state(plane: ControlPlane) -> str:
    return str(plane.call("DescribeEndpoint", {"EndpointName": "faq"})["EndpointStatus"])


def test_creating_takes_its_time_and_cannot_be_interrupted() -> None:
    plane, clock = plane_with(**HASHED, ready_seconds=30)
    assert state(plane) == "Creating" and plane.serving("faq") is None
    with pytest.raises(ControlError, match="Cannot update in-progress endpoint"):
        plane.call("DeleteEndpoint", {"EndpointName": "faq"})
    clock.now += 30
    assert state(plane) == "InService" and plane.serving("faq") is not None


def test_an_update_serves_the_old_until_the_new_is_ready() -> None:
    plane, clock = plane_with(**HASHED)
    plane.call("UpdateEndpoint", {"EndpointName": "faq", "EndpointConfigName": "two"})
    old = plane.serving("faq")
    assert state(plane) == "Updating" and old and old.spec.dimension == 768
    clock.now += 10
    new = plane.serving("faq")
    assert state(plane) == "InService" and new and new.spec.dimension == 8
    assert plane.call("DescribeEndpoint", {"EndpointName": "faq"})["EndpointConfigName"] == "two"


def test_an_update_that_fails_is_rolled_back_with_its_reason() -> None:
    plane, clock = plane_with({"failure": "no capacity"}, **HASHED)
    name = {"EndpointName": "faq"}
    plane.call("UpdateEndpoint", {**name, "EndpointConfigName": "two"})
    assert state(plane) == "Updating" and "FailureReason" not in plane.call("DescribeEndpoint", name)
    clock.now += 10
    described, still = plane.call("DescribeEndpoint", name), plane.serving("faq")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "one")
    assert described["FailureReason"] == "no capacity" and still and still.spec.dimension == 768
    plane.call("UpdateEndpoint", {**name, "EndpointConfigName": "one"})
    assert state(plane) == "InService" and "FailureReason" not in plane.call("DescribeEndpoint", name)


def test_deleting_takes_its_time() -> None:
    plane, clock = plane_with(**HASHED)
    plane.call("DeleteEndpoint", {"EndpointName": "faq"})
    assert state(plane) == "Deleting" and plane.serving("faq") is None
    with pytest.raises(ControlError, match="already existing endpoint"):
        plane.call("CreateEndpoint", {"EndpointName": "faq", "EndpointConfigName": "one"})
    clock.now += 5
    with pytest.raises(ControlError, match="Could not find endpoint"):
        state(plane)


@pytest.mark.parametrize(
    ("image", "task", "format"),
    [
        ("tei:2.0.1-tei1.8.2-gpu-py310-cu122-ubuntu22.04", "embed", "tei"),
        ("tei-cpu:2.0.1", "embed", "tei"),
        ("huggingface-pytorch-inference:2.6.0-transformers4.51.3-cpu-py312", "embed", "hf"),
        ("huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6", "generate", "tgi"),
        ("djl-inference:0.36.0-lmi27.0.0-cu130", "generate", "lmi"),
        ("vllm:0.30.0-gpu-py312-cu130", "generate", "openai"),
    ],
)
def test_published_images(image: str, task: str, format: str) -> None:
    spec = spec_for_container("e", {"Image": f"763104351884.dkr.ecr.ap-northeast-2.amazonaws.com/{image}"})
    assert (spec.task, spec.format) == (task, format)


def test_a_wrong_variable_is_reported() -> None:
    with pytest.raises(SettingsError, match="FSI_EMULATOR of the container is not JSON"):
        spec_for_container("e", {"Image": "tei", "Environment": {"FSI_EMULATOR": "{"}})
    with pytest.raises(SettingsError, match="endpoint e: latency_ms: Input should be a valid number"):
        spec_for_container("e", {"Image": "tei", "Environment": {"FSI_EMULATOR": '{"latency_ms": "slow"}'}})


def test_admin_routes_refuse_what_is_wrong(run: Run) -> None:
    service = run(embedder())
    with pytest.raises(SettingsError, match="latency_ms"):
        service.emulator.change("emb", latency_ms="slow")
    with pytest.raises(SettingsError, match="no endpoint 'none'"):
        service.emulator.change("none", latency_ms=1)
    assert service.emulator.show()["endpoints"]["emb"]["spec"]["latency_ms"] == 0
    service.emulator.put(embedder(dimension=8))
    assert len(service.invoke("emb", {"inputs": ["가"]})[0]) == 8


def test_boto3_finds_it_by_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from deploy.local.commands import variables

    service = run(embedder())
    for name, value in variables(service.emulator.url, {}).items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    made = session.client("sagemaker-runtime")
    try:
        body = orjson.dumps({"inputs": ["가"]})
        assert len(orjson.loads(made.invoke_endpoint(EndpointName="emb", Body=body)["Body"].read())) == 1
    finally:
        made.close()
