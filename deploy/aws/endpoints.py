"""Models, endpoint configurations and endpoints.

Models and configurations are immutable in SageMaker. Their names contain a hash of their definition, so that a changed
definition creates new ones, to which the endpoint is updated; the old ones are deleted afterwards (leftovers.py).
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
"""Instance types with local disks, which the hardware encrypts: SageMaker refuses a KMS key for them."""
_STATES = {
    "InService": State.READY,
    "Failed": State.FAILED,
    "OutOfService": State.FAILED,
    "UpdateRollbackFailed": State.FAILED,
}


class SageMaker(Resource):
    """Base of the three kinds. `word`: the part of the names of API operations, such as "EndpointConfig"."""

    word: str
    kind: str

    def raw_description(self) -> dict[str, Any] | None:
        """The response of the Describe operation, or None if the resource does not exist."""
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
        """All tags of the resource. `response`: of its Describe operation."""
        pages = (
            self.aws.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=response[f"{self.word}Arn"])
        )
        return [tag for page in pages for tag in page["Tags"]]

    def describe(self) -> Description:
        """READY if it exists: immutable resources never differ."""
        response = self.raw_description()
        return (
            self.owned_description(State.READY, self.tags(response), since=response["CreationTime"])
            if response
            else ABSENT
        )

    def create(self) -> None:
        """Create it with its tags in the same request, so that it is never without them."""
        make = getattr(self.aws.client("sagemaker"), f"create_{snake(self.word)}")
        make(**{f"{self.word}Name": self.name}, **self.definition(), Tags=self.aws.tag_list)

    def delete(self) -> None:
        getattr(self.aws.client("sagemaker"), f"delete_{snake(self.word)}")(**{f"{self.word}Name": self.name})

    def definition(self) -> dict[str, Any]:
        """The arguments of the Create operation other than name and tags."""
        return {}


class Model(SageMaker):
    """A SageMaker model: container image, environment and location of the files."""

    kind, word = "model", "Model"

    def __init__(self, aws: AwsSession, name: str, definition: Mapping[str, Any] | None = None) -> None:
        super().__init__(aws, name)
        self._definition = dict(definition or {})

    def definition(self) -> dict[str, Any]:
        return self._definition


class Config(Model):
    """An endpoint configuration: the model and its instances."""

    kind, word = "endpoint configuration", "EndpointConfig"


class EndpointResource(SageMaker):
    """A real-time endpoint. It takes minutes to start, and is billed as long as it exists."""

    kind, word = "endpoint", "Endpoint"

    def __init__(self, aws: AwsSession, name: str, config: str = "", wait_seconds: float = 3600.0) -> None:
        super().__init__(aws, name)
        self.config = config
        self.wait_seconds = wait_seconds

    def describe(self) -> Description:
        """DIFFERENT if another configuration is in service; a failure reason is then that of a rolled-back update."""
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
        """Update it to the new configuration.

        Its autoscaling is deregistered first, because AWS refuses another instance type with it. A later stage registers it.
        """
        if scalable(self.aws, self.name):
            self.aws.client("application-autoscaling").deregister_scalable_target(**target(self.name))
        self.aws.client("sagemaker").update_endpoint(EndpointName=self.name, EndpointConfigName=self.config)

    def link(self) -> str:
        """The endpoint's log in the console."""
        group = f"/aws/sagemaker/Endpoints/{self.name}".replace("/", "$252F")
        return self.aws.console(f"cloudwatch/home?region={{region}}#logsV2:log-groups/log-group/{group}")

    def console(self) -> str:
        """The endpoint's page in the console."""
        return self.aws.console(f"sagemaker/home?region={{region}}#/endpoints/{self.name}")


def model(aws: AwsSession, stack: Stack, endpoint: Endpoint, role: str, source: str | None) -> Model:
    """The model of an endpoint. `source`: S3 prefix of its uploaded files, None without any."""
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
    """The endpoint configuration: instances, timeouts, host AMI and disk encryption."""
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
    """The identifiers of an endpoint in Application Auto Scaling."""
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }


def scalable(aws: AwsSession, endpoint: str) -> list[dict[str, Any]]:
    """The scalable targets registered for an endpoint; empty without autoscaling."""
    endpoint_target = target(endpoint)
    targets: list[dict[str, Any]] = aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=NAMESPACE, ResourceIds=[endpoint_target["ResourceId"]], ScalableDimension=DIMENSION
    )["ScalableTargets"]
    return targets


def versioned_name(name: str, definition: Mapping[str, Any]) -> str:
    """The endpoint's name with the first 8 hex digits of the definition's SHA-256; 63 characters at most."""
    text = json.dumps(definition, sort_keys=True, ensure_ascii=False)
    return f"{version(name)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def snake(word: str) -> str:
    """Convert "EndpointConfig" to "endpoint_config", as boto3 names its methods."""
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
