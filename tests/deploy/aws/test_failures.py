"""Failures are reported in one line with the reason and advice; resources of others are never touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, EndpointConnectionError

from deploy.aws.commands import Deployment
from deploy.aws.errors import advice, is_missing, translate_errors
from deploy.aws.reconcile import ABSENT, Description, Reconciler, Resource, State
from deploy.aws.session import AwsSession
from deploy.stack import Stack
from rag.errors import DeployError
from tests.deploy.aws.account import REGION, Account, remaining
from tests.deploy.aws.conftest import FULL, written

ONE = """
name = "one"
[llm]
endpoint_name = "one-llm"
model = "kakaocorp/kanana-1.5-8b-instruct-2505"
container = "lmi"
instance_type = "ml.g5.2xlarge"
format = "openai"
[llm.environment]
FSI_EMULATOR = '''{emulated}'''
"""


def one(folder: Path, **emulated: Any) -> Stack:
    return written(folder, ONE.replace("{emulated}", json.dumps(emulated)))


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (
            "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.",
            "AWS has no free instances of this type",
        ),
        (
            "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
            "CloudWatch logs for this endpoint.",
            "read its log, then raise health_check_seconds",
        ),
        ("CannotStartContainerError. Please ensure the model container can be started.", "set `ami`"),
        (
            "The image '763104351884.dkr.ecr.ap-northeast-2.amazonaws.com/x:1' does not exist.",
            "pin current ones with `python -m deploy.pin_images`",
        ),
        ("Something nobody has seen before.", "log: https://"),
    ],
    ids=["capacity", "health check", "driver", "image", "unknown"],
)
def test_a_failed_endpoint_says_why_and_where_to_look(
    account: Account, tmp_path: Path, reason: str, advice: str
) -> None:
    stack = one(tmp_path, failure=reason)
    with pytest.raises(DeployError) as caught:
        account.deployment(stack).up()
    line = str(caught.value)
    assert line.startswith(f"endpoint one-llm failed: {reason}") and advice in line
    assert f"https://{REGION}.console.aws.amazon.com/cloudwatch/home" in line and "one-llm" in line
    assert line.endswith("Created resources remain and are billed; run `up` again, or `down`")
    account.deployment(stack).status()
    assert "failed      endpoint one-llm" in account.text and reason in account.text

    account.forget()
    account.deployment(one(tmp_path)).up()
    assert f"deleting endpoint one-llm, which failed before: {reason}" in account.text
    account.deployment(stack).down()
    assert remaining(account) == {}


def test_a_change_that_aws_rolled_back_says_why(account: Account, tmp_path: Path) -> None:
    """The endpoint is in service again; only its FailureReason shows that the change failed."""
    reason = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
    good, bad = one(tmp_path), one(tmp_path, failure=reason, ready_seconds=0.5)
    account.deployment(good).up()
    for announced in (
        "changing endpoint one-llm",
        f"changing endpoint one-llm, of which AWS rolled back a change: {reason}",
    ):
        account.forget()
        with pytest.raises(DeployError) as caught:
            account.deployment(bad).up()
        line = str(caught.value)
        assert line.startswith(f"endpoint one-llm failed: AWS rolled the change back: {reason}") and "\n" not in line
        assert "AWS has no free instances of this type" in line and "log: https://" in line
        assert announced in account.said
        assert [call.operation for call in account.calls].count("UpdateEndpoint") == 1
    account.forget()
    account.deployment(bad).plan()
    assert f"~ change    endpoint one-llm (AWS rolled back a change: {reason})" in account.text
    account.deployment(bad).status()
    assert "different from the stack file endpoint one-llm" in account.text and f"\n{'':12}{reason}" in account.text

    account.forget()
    account.deployment(good).up()
    assert "unchanged: endpoint one-llm" in account.said and reason not in account.text
    account.deployment(bad).down()
    assert remaining(account) == {}


@pytest.mark.parametrize(
    ("operation", "code", "message", "advice"),
    [
        (
            "CreateEndpoint",
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g5.2xlarge for endpoint usage' is 0 Instances",
            "/servicequotas/home/services/sagemaker/quotas",
        ),
        (
            "CreateModel",
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/kim is not authorized to perform: sagemaker:CreateModel",
            "`python -m deploy.policy operator` prints the required ones",
        ),
        ("GetRole", "AccessDenied", "not authorized to perform: iam:GetRole", "a permission is missing"),
        (
            "CreateEndpointConfig",
            "ValidationException",
            "Requested image 763104351884.dkr.ecr.ap-northeast-2.amazonaws.com/x:1 not found.",
            "the container image does not exist",
        ),
    ],
    ids=["quota", "permission", "permission to look", "image"],
)
def test_a_refused_request_says_why(
    account: Account, tmp_path: Path, operation: str, code: str, message: str, advice: str
) -> None:
    account.refusals[operation] = (code, message)
    with pytest.raises(DeployError) as caught:
        account.deployment(one(tmp_path)).up()
    line = str(caught.value)
    assert f"{operation} was refused: {message}" in line and advice in line
    account.forget()
    account.deployment(one(tmp_path)).up()
    account.deployment(one(tmp_path)).down()
    assert remaining(account) == {}


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@pytest.mark.parametrize(
    ("code", "message", "missing"),
    [
        ("404", "Not Found", True),
        ("NoSuchEntity", "The role with name x cannot be found.", True),
        ("NoSuchTagSet", "The TagSet does not exist", True),
        ("ServerSideEncryptionConfigurationNotFoundError", "…", True),
        ("ResourceNotFoundException", "Domain not found: x", True),
        ("ValidationException", 'Could not find endpoint "arn:…:endpoint/x".', True),
        ("AccessDenied", "User: arn:aws:iam::404404404404:user/kim is not authorized", False),
        ("AccessDeniedException", "the role does not exist or you may not see it: Could not find", False),
        ("ThrottlingException", "Rate exceeded for 404", False),
        ("ValidationException", "1 validation error detected", False),
    ],
)
def test_only_what_is_surely_missing_counts_as_missing(code: str, message: str, missing: bool) -> None:
    """Otherwise a resource that the user may not describe could be created twice."""
    assert is_missing(refusal(code, message)) is missing


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("AccessDeniedException not authorized to perform: servicequotas:ListServiceQuotas", "a permission is missing"),
        ("ValidationException The stack's mapping is not an image: it is shipping", None),
        ("403 Forbidden", "a permission is missing"),
    ],
)
def test_advice_fits(words: str, expected: str | None) -> None:
    found = advice(words, REGION)
    assert found is None if expected is None else found and expected in found


def test_every_vendor_error_is_mapped() -> None:
    for error in (
        EndpointConnectionError(endpoint_url="https://x"),
        S3UploadFailedError("Failed to upload"),
        refusal("Throttling", "Rate exceeded"),
    ):
        with pytest.raises(DeployError, match="what: "), translate_errors("what", REGION):
            raise error


def test_a_quota_that_is_too_small_is_reported_before_anything_is_made(account: Account, full: Stack) -> None:
    account.quotas = {"ml.g5.xlarge": 10, "ml.g5.2xlarge": 0}
    account.deployment(full).plan()
    assert "ml.g5.xlarge        needed 3, quota 10\n" in account.text
    assert "ml.g5.2xlarge       needed 3, quota 0   TOO SMALL: request an increase at https://" in account.text
    with pytest.raises(DeployError, match=r"ml.g5.2xlarge +needed 3, quota 0 .* Nothing was created"):
        account.deployment(full).up()
    assert remaining(account) == {}


def endpoint(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    spec = json.dumps({"task": "embed", "format": "tei", "model": "hashed"})
    container = {"Image": "x", "Environment": {"FSI_EMULATOR": spec}}
    role = "arn:aws:iam::123456789012:role/theirs"
    sagemaker.create_model(ModelName="theirs", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "a", "ModelName": "theirs", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="theirs", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="full-llm", EndpointConfigName="theirs")


def role(account: Account) -> None:
    account.client("iam").create_role(RoleName="fsi-full-endpoints", AssumeRolePolicyDocument="{}")


def bucket(account: Account) -> None:
    name = "fsi-full-123456789012-ap-northeast-2"
    account.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    account.client("s3").put_object(Bucket=name, Key="theirs", Body=b"theirs")


def secret(account: Account) -> None:
    account.client("secretsmanager").create_secret(Name="fsi/full/opensearch", SecretString="theirs")


def domain(account: Account) -> None:
    tags = [{"Key": "fsi-stack", "Value": "another"}]
    account.client("opensearch").create_domain(DomainName="full", TagList=tags)


def schedule(account: Account) -> None:
    account.client("scheduler").create_schedule_group(Name="fsi-full")


@pytest.mark.parametrize("make", [endpoint, role, bucket, secret, domain, schedule])
def test_a_resource_of_another_owner_is_refused_and_never_deleted(
    account: Account, full: Stack, make: Callable[[Account], None]
) -> None:
    make(account)
    before = remaining(account)
    with pytest.raises(DeployError, match=r"the name is in use .* Nothing was created or changed"):
        account.deployment(full).up()
    account.deployment(full).plan()
    assert "x TAKEN" in account.text
    account.deployment(full).down()
    assert "does not belong to this stack" in account.text
    assert remaining(account) == before


def test_a_log_group_that_the_service_made_is_used_and_left(account: Account, full: Stack) -> None:
    account.client("logs").create_log_group(logGroupName="/aws/sagemaker/Endpoints/full-llm")
    account.deployment(full).up()
    account.deployment(full).down()
    assert [each["logGroupName"] for each in remaining(account)["logs"]] == ["/aws/sagemaker/Endpoints/full-llm"]


def test_a_slow_endpoint_is_waited_for_and_down_waits_until_it_can_be_deleted(account: Account, tmp_path: Path) -> None:
    stack = one(tmp_path, ready_seconds=0.5)
    account.deployment(stack).up()
    assert "ready: endpoint one-llm" in account.text
    account.deployment(stack).down()
    assert account.killed(account.deployment(stack).up, after=7)
    assert account.client("sagemaker").describe_endpoint(EndpointName="one-llm")["EndpointStatus"] == "Creating"
    account.deployment(stack).down()
    assert remaining(account) == {}


def test_no_credentials_and_no_region(full: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(DeployError, match="no AWS region; set `region` in the stack file"):
        AwsSession(full)
    cloud_stack = full.model_copy(update={"region": REGION})
    aws = AwsSession(cloud_stack)
    with pytest.raises(DeployError, match="no AWS credentials"):
        _ = aws.account
    said: list[str] = []
    with pytest.raises(DeployError, match="no AWS credentials"):
        Deployment(cloud_stack, aws, echo=said.append).plan()
    assert "models:" in said and "cost:" in said, "what an account is asked for with"
    aws.close()


class Restless(Resource):
    """A resource in the states it is given, one after the other; the last one stays."""

    kind = "thing"

    def __init__(self, aws: AwsSession, *states: State, rolled_back: str = "") -> None:
        super().__init__(aws, "x")
        self.rolled_back = rolled_back
        self.states = list(states)
        self.done: list[str] = []

    def describe(self) -> Description:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return ABSENT if state is State.ABSENT else Description(state, "its reason", rolled_back=self.rolled_back)

    def create(self) -> None:
        self.done.append("create")

    def change(self) -> None:
        self.done.append("change")

    def delete(self) -> None:
        self.done.append("delete")


class Clock:
    """A clock that only `sleep` advances."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.reconciler = Reconciler(self.said.append, self.sleep, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def restless(full: Stack, *states: State, rolled_back: str = "") -> Restless:
    return Restless(AwsSession(full.model_copy(update={"region": REGION})), *states, rolled_back=rolled_back)


def test_waiting_reports_its_progress_and_ends(full: Stack) -> None:
    clock, thing = Clock(), restless(full, State.ABSENT, State.BUSY)
    with pytest.raises(DeployError, match="thing x is not ready after 10 minutes; run the command again"):
        clock.reconciler.up([[thing]])
    assert thing.done == ["create"]
    assert "  waiting for thing x: 5 min" in clock.said


def test_what_never_settles_is_given_up(full: Stack) -> None:
    for states, verb in (((State.ABSENT,), "create"), ((State.DIFFERENT,), "change")):
        with pytest.raises(DeployError, match=f"thing x failed: .*(tries to {verb} it|its reason)"):
            Clock().reconciler.up([[restless(full, *states)]])


def test_an_update_that_was_rolled_back_keeps_its_reason(full: Stack) -> None:
    with pytest.raises(DeployError, match="thing x failed: its reason"):
        Clock().reconciler.up([[restless(full, State.DIFFERENT, State.BUSY, State.FAILED)]])


def test_only_a_change_of_this_run_is_reported_as_rolled_back(full: Stack) -> None:
    """A change begun by an earlier run, or not yet visible everywhere, is made again."""
    stale = (State.BUSY, State.DIFFERENT, State.DIFFERENT, State.BUSY, State.READY)
    thing = restless(full, *stale, rolled_back="no capacity")
    Clock().reconciler.up([[thing]])
    assert thing.done == ["change", "change"]
    thing = restless(full, State.DIFFERENT, State.BUSY, State.DIFFERENT, rolled_back="no capacity")
    with pytest.raises(DeployError, match="thing x failed: AWS rolled the change back: no capacity"):
        Clock().reconciler.up([[thing]])
    assert thing.done == ["change"]


def test_what_failed_in_an_earlier_run_is_made_again(full: Stack) -> None:
    thing = restless(full, State.FAILED, State.BUSY, State.ABSENT, State.BUSY, State.READY)
    Clock().reconciler.up([[thing]])
    assert thing.done == ["delete", "create"]


def test_down_waits_for_what_is_busy(full: Stack) -> None:
    thing = restless(full, State.BUSY, State.BUSY, State.READY, State.BUSY, State.ABSENT)
    Clock().reconciler.down([[thing]])
    assert thing.done == ["delete"]


def test_all_of_a_stage_are_begun_before_any_is_waited_for(full: Stack) -> None:
    slow = restless(full, State.ABSENT, State.BUSY, State.BUSY, State.READY)
    failing = restless(full, State.ABSENT, State.BUSY, State.FAILED)
    with pytest.raises(DeployError, match="its reason"):
        Clock().reconciler.up([[slow, failing]])
    assert slow.done == failing.done == ["create"]


def test_a_resource_created_meanwhile_by_another_owner_is_refused(full: Stack) -> None:
    with pytest.raises(DeployError, match="so it was not changed"):
        Clock().reconciler.up([[restless(full, State.NOT_OURS)]])


def test_a_new_role_is_waited_for(account: Account, tmp_path: Path) -> None:
    """A new role is not visible everywhere at once: SageMaker rejects one that it cannot see yet."""
    account.refusals["CreateModel"] = ("ValidationException", "Could not assume role arn:aws:iam::1:role/x.")
    deployment = account.deployment(one(tmp_path))
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        account.refusals.clear()

    deployment.sleep = sleep
    deployment.up()
    assert pauses and "ready: model" in account.text
    deployment.down()


def test_a_stack_without_what_aws_needs(account: Account, tmp_path: Path) -> None:
    for text, words in (
        ('[llm]\nendpoint_name = "a"\nformat = "lmi"', "missing for AWS: llm.model, llm.container, llm.instance_type"),
        ("", "expected an endpoint or a domain in the stack file"),
        (FULL.replace('"ml.g5.2xlarge"', '"ml.m5.xlarge"'), "container 'lmi' needs a GPU instance_type"),
        (FULL.replace('handler = "kosimcse"', 'model_folder = "/nowhere"'), "no files in /nowhere"),
    ):
        with pytest.raises(Exception, match=words):
            account.deployment(written(tmp_path, text)).plan()
    elsewhere = written(tmp_path, 'region = "me-central-1"\n' + FULL)
    with pytest.raises(Exception, match="no image of 'huggingface' is pinned for me-central-1; set `image`"):
        account.deployment(elsewhere).plan()
