"""Every request to AWS is valid by botocore's model, and allowed by the operator's policy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from deploy import stack as stacks
from deploy.aws.search import normalize_policy
from deploy.policy import NAMES, POLICIES, main, policy, variables
from deploy.stack import Stack
from tests.deploy.aws.account import REGION, Account, Call
from tests.deploy.aws.conftest import FULL, ROOT, written
from tests.deploy.aws.shapes import problems

KMS = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555"
NETWORK = f"""
kms_key = "{KMS}"
execution_role = "arn:aws:iam::123456789012:role/theirs"
[network]
subnets = ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]
isolation = true
"""
ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "DeleteObjects": "DeleteObject",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "ListAWSDefaultServiceQuotas": "ListAWSDefaultServiceQuotas",
}
"""Requests whose permission has another name."""
PREFIXES = {
    "opensearch": "es",
    "service-quotas": "servicequotas",
    "sagemaker-runtime": "sagemaker",
    "logs": "logs",
}
WITHOUT = {"sts:GetCallerIdentity"}
"""Needs no permission."""
NOT_ASKED = {
    "iam:PassRole",  # by the services, for the roles named in requests
    "iam:CreateServiceLinkedRole",  # by autoscaling and OpenSearch, once in an account
    *("iam:TagRole", "logs:TagResource", "sagemaker:AddTags", "scheduler:TagResource", "secretsmanager:TagResource"),
    *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),  # by the services, for whoever asks
    *("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"),  # by autoscaling, likewise
    "sagemaker:UpdateEndpointWeightsAndCapacities",  # by autoscaling, likewise
    "sagemaker:InvokeEndpoint",  # by `up` and `test`, through the runtime that the chatbot uses
    "sagemaker:InvokeEndpointWithResponseStream",
    "es:ESHttp*",
}


def lived(account: Account, *versions: Stack) -> list[Call]:
    """All requests of a stack's life: created, changed to each further version, described, deleted."""
    for stack in versions:
        account.deployment(stack).up(yes_over_budget=True)
    for command in ("plan", "status", "env", "down"):
        getattr(account.deployment(versions[-1]), command)()
    return account.calls


def changed(stack: Stack) -> Stack:
    """A stack that differs in every part."""
    update: dict[str, Any] = {
        group: each.model_copy(update={"instance_type": "ml.g6.12xlarge", "revision": "main"})
        for group, each in stack.endpoints()
    }
    if stack.opensearch:
        update["opensearch"] = stack.opensearch.model_copy(update={"storage_gb": 50})
    return stack.model_copy(update=update)


def wrong(calls: Iterable[Call]) -> list[str]:
    return [problem for call in calls for problem in problems(call)]


@pytest.mark.parametrize("name", ["stack.toml", "stacks/workshop.toml", "stacks/workshop-12.8b.toml"])
def test_the_bundled_stacks(account: Account, name: str) -> None:
    stack = stacks.load(ROOT / "deploy" / name)
    assert stack.embedding
    quick = {"FSI_EMULATOR": f'{{"model": "hashed", "dimension": {stack.embedding.dimension}}}'}
    stack = stack.model_copy(update={"embedding": stack.embedding.model_copy(update={"environment": quick})})
    calls = lived(account, stack, changed(stack))
    operations = {call.operation for call in calls}
    assert {"CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint", "DeleteEndpoint"} <= operations
    assert wrong(calls) == []


def test_everything_at_once(account: Account, full: Stack) -> None:
    """The operator's policy allows these requests and no others."""
    calls = lived(account, full, changed(full))
    assert {"CreateDomain", "UpdateDomainConfig", "DeleteDomain", "UpdateSchedule", "PutScalingPolicy"} <= {
        call.operation for call in calls
    }
    assert wrong(calls) == []
    scaled = [call.operation for call in calls if "Scal" in call.operation or call.operation == "UpdateEndpoint"]
    first = scaled.index("UpdateEndpoint")
    assert "DeregisterScalableTarget" in scaled[:first], "AWS refuses a scaled endpoint another instance type"
    assert "RegisterScalableTarget" in scaled[first:]
    asked = {action(call) for call in calls} - WITHOUT
    document = json.loads((POLICIES / "operator.json").read_text(encoding="utf-8"))
    allowed = {each for statement in document["Statement"] for each in statement["Action"]}
    assert asked - allowed == set(), "not allowed"
    assert allowed - asked - NOT_ASKED - RARE == set(), "allowed in vain"


def test_in_a_network_of_its_own(account: Account, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}", encoding="utf-8")
    text = (
        FULL.replace('[tags]', "", 1).replace('project = "faq"', NETWORK, 1)
        .replace('handler = "kosimcse"', f'model_folder = "{tmp_path / "model"}"')
        .replace('container = "lmi"', 'container = "lmi"\nmodel_data = "s3://their-bucket/kanana"')
        .replace('addresses = ["203.0.113.7/32"]', 'access = "vpc"\nnodes = 2')
    )  # fmt: skip
    stack = written(tmp_path, text)
    calls = lived(account, stack, changed(stack))
    assert wrong(calls) == []
    models = [call.given for call in calls if call.operation == "CreateModel"]
    assert all(each["EnableNetworkIsolation"] and each["VpcConfig"]["SecurityGroupIds"] for each in models)
    assert {each["ExecutionRoleArn"] for each in models} == {"arn:aws:iam::123456789012:role/theirs"}
    sources = [each["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"] for each in models]
    assert "s3://their-bucket/kanana/" in sources
    assert all(each["PrimaryContainer"]["Environment"]["HF_MODEL_ID"] == "/opt/ml/model" for each in models)
    domain = next(call.given for call in calls if call.operation == "CreateDomain")
    assert len(domain["VPCOptions"]["SubnetIds"]) == 2
    assert domain["EncryptionAtRestOptions"] == {"Enabled": True, "KmsKeyId": KMS}


def test_what_is_asked_of_a_domain(account: Account, tmp_path: Path) -> None:
    text = '[opensearch]\ndomain_name = "faq"\naccess = "role"\nrole_arn = "arn:aws:iam::123456789012:role/app"'
    stack = written(tmp_path, text)
    calls = lived(account, stack)
    assert wrong(calls) == []
    given = next(call.given for call in calls if call.operation == "CreateDomain")
    assert given["DomainEndpointOptions"] == {
        "EnforceHTTPS": True,
        "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10",
    }
    assert given["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    assert given["AdvancedSecurityOptions"] == {
        "Enabled": True,
        "MasterUserOptions": {"MasterUserARN": "arn:aws:iam::123456789012:role/app"},
    }
    statement = json.loads(given["AccessPolicies"])["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/app"}
    assert "CreateSecret" not in {call.operation for call in calls}


def test_the_checker_finds_what_botocore_lets_through() -> None:
    variant = {"VariantName": "a b", "ModelName": "m", "InstanceType": "ml.h9.huge", "InitialInstanceCount": 1}
    given = {"EndpointConfigName": "x" * 64, "ProductionVariants": [variant]}
    found = "\n".join(problems(Call("sagemaker", "CreateEndpointConfig", given)))
    assert all(words in found for words in ("64 characters > 63", "'a b' is not", "'ml.h9.huge' is none of"))


RARE = {"scheduler:DeleteSchedule", "iam:UpdateAssumeRolePolicy", "iam:PutRolePermissionsBoundary", "s3:DeleteObject"}
"""Only after a change of names in the stack file, or of the project itself."""


def action(call: Call) -> str:
    prefix = PREFIXES.get(call.service, call.service)
    return f"{prefix}:{ACTIONS.get(call.operation, call.operation)}"


@pytest.mark.parametrize("name", NAMES)
def test_policies_name_their_resources(name: str) -> None:
    """Only actions that AWS cannot restrict are allowed on all resources."""
    given = {
        **dict.fromkeys(("region", "account", "stack", "endpoint", "version", "domain", "bucket"), ("x",)),
        **dict.fromkeys(("model_data", "model_bucket", "kms_key", "vpc", "scaling", "execution_role"), ()),
    }
    document = policy(name, given)
    wide = {each for one in document["Statement"] if one["Resource"] == ["*"] for each in one["Action"]}
    assert wide <= {
        "ecr:GetAuthorizationToken", "cloudwatch:PutMetricData",
        "sagemaker:ListEndpoints", "sagemaker:ListEndpointConfigs", "sagemaker:ListModels",
        "es:ListDomainNames", "servicequotas:ListServiceQuotas", "servicequotas:ListAWSDefaultServiceQuotas",
        "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies",
        "logs:DescribeLogGroups", "scheduler:ListSchedules",
    }  # fmt: skip
    assert not any(each.endswith(":*") for one in document["Statement"] for each in one["Action"])


def test_the_page_can_only_search(full: Stack) -> None:
    statements = policy("app", variables(full, REGION, "123456789012", with_bucket=True))["Statement"]
    assert {each for one in statements for each in one["Action"]} == {
        *("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"),
        *("es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "secretsmanager:GetSecretValue"),
    }
    posted = [each for one in statements if "es:ESHttpPost" in one["Action"] for each in one["Resource"]]
    assert [each.rpartition("/")[2] for each in posted] == ["_msearch"]
    read = [each for one in statements if "es:ESHttpGet" in one["Action"] for each in one["Resource"]]
    assert {each.rpartition("/")[2] for each in read} == {"", "fsi-*"}
    secrets = [
        each for one in statements if "secretsmanager:GetSecretValue" in one["Action"] for each in one["Resource"]
    ]
    assert all("/page-" in each for each in secrets), "not the ingester's"


def test_roles_trust_this_account_alone_and_carry_the_boundary(account: Account, full: Stack) -> None:
    account.deployment(full).up(yes_over_budget=True)
    made = [call.given for call in account.calls if call.operation == "CreateRole"]
    assert made
    for role in made:
        (trusted,) = json.loads(role["AssumeRolePolicyDocument"])["Statement"]
        assert trusted["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
        assert role["PermissionsBoundary"].endswith(f":policy/fsi-{full.name}-boundary")
    given = variables(full, REGION, "123456789012", with_bucket=True)
    conditions = {
        each: one.get("Condition", {}) for one in policy("operator", given)["Statement"] for each in one["Action"]
    }
    for each in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert conditions[each]["StringEquals"]["iam:PermissionsBoundary"] == [made[0]["PermissionsBoundary"]]
    within = {each for one in policy("boundary", given)["Statement"] for each in one["Action"]}
    for name in ("endpoints", "scheduler"):
        assert {each for one in policy(name, given)["Statement"] for each in one["Action"]} <= within


def test_what_autoscaling_and_the_nights_need(full: Stack) -> None:
    """Permissions that AWS checks without a request of ours, from its developer guide."""
    role = "arn:aws:iam::123456789012:role/theirs"
    given = variables(full.model_copy(update={"execution_role": role}), REGION, "123456789012", with_bucket=True)
    allowed = {
        name: {each for one in policy(name, given)["Statement"] for each in one["Action"]}
        for name in ("operator", "scheduler")
    }
    scaled = {"sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities", "cloudwatch:PutMetricAlarm"}
    assert scaled <= allowed["operator"] & allowed["scheduler"]
    assert "application-autoscaling:DeregisterScalableTarget" in allowed["scheduler"], (
        "else a scaled endpoint stays all night"
    )
    passed = next(one for one in policy("operator", given)["Statement"] if one["Action"] == ["iam:PassRole"])
    assert role in passed["Resource"], "a model is made with it"


@pytest.mark.parametrize("name", NAMES)
def test_policies_are_printed_filled_in(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "full.toml"
    path.write_text(FULL, encoding="utf-8")
    arguments = [name, "--account", "123456789012", "--stack", str(path)]
    assert main([*arguments, "--region", REGION]) == 0
    text = capsys.readouterr().out
    assert "${" not in text and "123456789012" in text
    assert all(statement["Resource"] for statement in json.loads(text)["Statement"])
    assert main(arguments) == 1
    assert "no AWS region; set --region" in capsys.readouterr().err


def test_a_policy_that_aws_wrote_back_in_its_own_way_is_the_same() -> None:
    sent = {"Statement": [{"Action": ["a"], "Condition": {"IpAddress": {"aws:SourceIp": ["1.2.3.4", "5.6.7.8"]}}}]}
    found = {"Statement": {"Action": "a", "Condition": {"IpAddress": {"aws:SourceIp": ["5.6.7.8", "1.2.3.4"]}}}}
    assert normalize_policy(sent) == normalize_policy(found)
    assert normalize_policy(sent) != normalize_policy({"Statement": {"Action": "b"}})
