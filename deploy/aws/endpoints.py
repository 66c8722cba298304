"""Models, endpoint configurations and endpoints.

A model and a configuration cannot be changed: their names hold a digest of what they say, so another stack file makes others
beside them and the endpoint is switched over; the old ones are removed afterwards (leftovers.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from deploy import containers
from deploy.aws.errors import is_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.session import AwsSession
from deploy.policy import version
from deploy.stack import Endpoint, Stack

VARIANT = "AllTraffic"
NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
DIGEST = re.compile(r"-[0-9a-f]{8}$")
_OWN_DISK = re.compile(r"^ml\.(g\d\w*|p[45]\w*|\w+d)\.")
"""Instances with disks of their own, which the hardware encrypts: a key for these is refused."""
_STATES = {
    "InService": State.READY,
    "Failed": State.FAILED,
    "OutOfService": State.FAILED,
    "UpdateRollbackFailed": State.FAILED,
}


class SageMaker(Resource):
    """What the three kinds have in common: their calls' names are made of `word`."""

    word: str
    kind: str

    def raw_description(self) -> dict[str, Any] | None:
        """The service's own answer; None where there is no such resource."""
        sagemaker = self.aws.client("sagemaker")
        try:
            response: dict[str, Any] = getattr(sagemaker, f"describe_{snake(self.word)}")(
                **{f"{self.word}Name": self.name}
            )
        except ClientError as exc:
            if is_missing(exc):
                return None
            raise
        return response

    def tags(self, response: Mapping[str, Any]) -> list[dict[str, str]]:
        """All tags of the resource with this answer, page by page."""
        pages = (
            self.aws.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=response[f"{self.word}Arn"])
        )
        return [tag for page in pages for tag in page["Tags"]]

    def describe(self) -> Description:
        """READY wherever it exists: what cannot be changed cannot differ."""
        response = self.raw_description()
        return (
            self.owned_description(State.READY, self.tags(response), since=response["CreationTime"])
            if response
            else ABSENT
        )

    def create(self) -> None:
        """With its tags in the same request, so that nothing of ours is ever without them."""
        make = getattr(self.aws.client("sagemaker"), f"create_{snake(self.word)}")
        make(**{f"{self.word}Name": self.name}, **self.definition(), Tags=self.aws.tag_list)

    def delete(self) -> None:
        getattr(self.aws.client("sagemaker"), f"delete_{snake(self.word)}")(**{f"{self.word}Name": self.name})

    def definition(self) -> dict[str, Any]:
        """All that is sent to create it beside name and tags."""
        return {}


class Model(SageMaker):
    """A container with its environment and where its files are."""

    kind, word = "model", "Model"

    def __init__(self, aws: AwsSession, name: str, definition: Mapping[str, Any] | None = None) -> None:
        super().__init__(aws, name)
        self._definition = dict(definition or {})

    def definition(self) -> dict[str, Any]:
        return self._definition


class Config(Model):
    """Which model runs on how many of which instances."""

    kind, word = "endpoint configuration", "EndpointConfig"


class EndpointResource(SageMaker):
    """The endpoint itself: minutes to come up, and paid for as long as it is there."""

    kind, word = "endpoint", "Endpoint"

    def __init__(self, aws: AwsSession, name: str, config: str = "", wait_seconds: float = 3600.0) -> None:
        super().__init__(aws, name)
        self.config = config
        self.wait_seconds = wait_seconds

    def describe(self) -> Description:
        """DIFFERENT where another configuration is in service; a reason given for that is of a rolled-back change."""
        response = self.raw_description()
        if not response:
            return ABSENT
        state = _STATES.get(response["EndpointStatus"], State.BUSY)
        if state is State.READY and response["EndpointConfigName"] != self.config:
            state = State.DIFFERENT
        why = response.get("FailureReason", "")
        description = self.owned_description(
            state, self.tags(response), why or response["EndpointStatus"], response["CreationTime"]
        )
        return replace(description, rolled_back=why) if description.state is State.DIFFERENT else description

    def definition(self) -> dict[str, Any]:
        return {"EndpointConfigName": self.config}

    def change(self) -> None:
        """While it is scaled, AWS refuses it another instance type; its scaling is made again after it."""
        if scalable(self.aws, self.name):
            self.aws.client("application-autoscaling").deregister_scalable_target(**target(self.name))
        self.aws.client("sagemaker").update_endpoint(EndpointName=self.name, EndpointConfigName=self.config)

    def link(self) -> str:
        """The endpoint's log."""
        group = f"/aws/sagemaker/Endpoints/{self.name}".replace("/", "$252F")
        return self.aws.console(f"cloudwatch/home?region={{region}}#logsV2:log-groups/log-group/{group}")

    def console(self) -> str:
        """The endpoint's page."""
        return self.aws.console(f"sagemaker/home?region={{region}}#/endpoints/{self.name}")


def model(aws: AwsSession, stack: Stack, endpoint: Endpoint, role: str, source: str | None) -> Model:
    """`source`: the S3 prefix of what was sent for it."""
    container: dict[str, Any] = {
        "Image": containers.image(endpoint, aws.region),
        "Environment": containers.environment(endpoint),
        **_data(endpoint, source),
    }
    definition: dict[str, Any] = {"PrimaryContainer": container, "ExecutionRoleArn": role}
    if stack.network.subnets:
        inside = {"Subnets": list(stack.network.subnets), "SecurityGroupIds": list(stack.network.security_groups)}
        definition["VpcConfig"] = inside
    if stack.network.isolation:
        definition["EnableNetworkIsolation"] = True
    return Model(aws, versioned_name(endpoint.endpoint_name, definition), definition)


def config(aws: AwsSession, stack: Stack, endpoint: Endpoint, model_name: str) -> Config:
    """The endpoint configuration: instances, timeouts in seconds, host image and disk encryption."""
    variant: dict[str, Any] = {
        "VariantName": VARIANT,
        "ModelName": model_name,
        "InitialInstanceCount": endpoint.instances,
        "InstanceType": str(endpoint.instance_type),
        "InitialVariantWeight": 1.0,
        "ContainerStartupHealthCheckTimeoutInSeconds": endpoint.health_check_seconds,
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    if endpoint.model_folder or endpoint.model_data or endpoint.handler:
        variant["ModelDataDownloadTimeoutInSeconds"] = endpoint.health_check_seconds
    if ami := containers.ami(endpoint, containers.image(endpoint, aws.region)):
        variant["InferenceAmiVersion"] = ami
    definition: dict[str, Any] = {"ProductionVariants": [variant]}
    if stack.kms_key and not _OWN_DISK.match(str(endpoint.instance_type)):
        definition["KmsKeyId"] = stack.kms_key
    return Config(aws, versioned_name(endpoint.endpoint_name, definition), definition)


def target(endpoint: str) -> dict[str, str]:
    """What autoscaling calls an endpoint."""
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }


def scalable(aws: AwsSession, endpoint: str) -> list[dict[str, Any]]:
    """The range of instances that autoscaling knows for an endpoint, if any."""
    endpoint_target = target(endpoint)
    targets: list[dict[str, Any]] = aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=NAMESPACE, ResourceIds=[endpoint_target["ResourceId"]], ScalableDimension=DIMENSION
    )["ScalableTargets"]
    return targets


def versioned_name(name: str, definition: Mapping[str, Any]) -> str:
    """63 characters at most."""
    text = json.dumps(definition, sort_keys=True, ensure_ascii=False)
    return f"{version(name)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def snake(word: str) -> str:
    """`EndpointConfig` to `endpoint_config`, as boto3 names its methods."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()


def _data(endpoint: Endpoint, source: str | None) -> dict[str, Any]:
    if endpoint.handler and source:
        return {"ModelDataUrl": f"{source}model.tar.gz"}
    where = source or endpoint.model_data
    if not where:
        return {}
    if where.endswith(".tar.gz"):
        return {"ModelDataUrl": where}
    prefix = {
        "S3Uri": where if where.endswith("/") else where + "/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    return {"ModelDataSource": {"S3DataSource": prefix}}
