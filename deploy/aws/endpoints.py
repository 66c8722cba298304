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

from botocore import xform_name

from deploy import containers, names
from deploy.aws.errors import none_if_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.session import AwsSession
from deploy.stack import Endpoint as EndpointSettings
from deploy.stack import Stack

VARIANT = "AllTraffic"
DIGEST = re.compile(r"-[0-9a-f]{8}$")
_OWN_DISK = re.compile(r"^ml\.(g\d\w*|p[45]\w*|\w+d)\.")
"""Instance types with local disks, which the hardware encrypts: SageMaker refuses a KMS key for them."""
_STATES = {
    "InService": State.READY,
    "Failed": State.FAILED,
    "OutOfService": State.FAILED,
    "UpdateRollbackFailed": State.FAILED,
}


class SageMakerResource(Resource):
    """Base of the three kinds. `api_name`: the part of the names of API operations, such as "EndpointConfig".

    `definition`: the arguments of the Create operation other than name and tags; None for a resource that is only deleted.
    """

    api_name: str

    def __init__(self, aws: AwsSession, name: str, definition: Mapping[str, Any] | None = None) -> None:
        super().__init__(aws, name)
        self._definition = dict(definition or {})

    def describe(self) -> Description:
        """READY if it exists: immutable resources never differ."""
        response = self._response()
        if response is None:
            return ABSENT
        return self.owned_description(State.READY, self._tags(response), created=response["CreationTime"])

    def create(self) -> None:
        """Create it with its tags in the same request, so that it is never without them."""
        self._call("Create", **self._definition, Tags=self.aws.tag_list)

    def delete(self) -> None:
        self._call("Delete")

    def _response(self) -> dict[str, Any] | None:
        """The response of the Describe operation, or None if the resource does not exist."""
        return none_if_missing(lambda: self._call("Describe"))

    def _tags(self, response: Mapping[str, Any]) -> list[dict[str, str]]:
        """All tags of the resource. `response`: of its Describe operation."""
        pages = self.aws.client("sagemaker").get_paginator("list_tags")
        arn = response[f"{self.api_name}Arn"]
        return [tag for page in pages.paginate(ResourceArn=arn) for tag in page["Tags"]]

    def _call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        operation = getattr(self.aws.client("sagemaker"), xform_name(verb + self.api_name))
        response: dict[str, Any] = operation(**{f"{self.api_name}Name": self.name}, **arguments)
        return response


class Model(SageMakerResource):
    """A SageMaker model: container image, environment and location of the files."""

    kind, api_name = "model", "Model"


class Config(SageMakerResource):
    """An endpoint configuration: the model and its instances."""

    kind, api_name = "endpoint configuration", "EndpointConfig"


class Endpoint(SageMakerResource):
    """A real-time endpoint. It takes minutes to start, and is billed as long as it exists."""

    kind, api_name = "endpoint", "Endpoint"

    def __init__(self, aws: AwsSession, name: str, config: str = "", wait_seconds: float = 3600.0) -> None:
        super().__init__(aws, name, {"EndpointConfigName": config})
        self.config = config
        self.wait_seconds = wait_seconds

    def describe(self) -> Description:
        """DIFFERENT if another configuration is in service; a failure reason is then that of a rolled-back update."""
        response = self._response()
        if response is None:
            return ABSENT
        state = _STATES.get(response["EndpointStatus"], State.BUSY)
        if state is State.READY and response["EndpointConfigName"] != self.config:
            state = State.DIFFERENT
        why = response.get("FailureReason", "")
        description = self.owned_description(
            state, self._tags(response), why or response["EndpointStatus"], response["CreationTime"]
        )
        return replace(description, rolled_back=why) if description.state is State.DIFFERENT else description

    def change(self) -> None:
        """Update it to the new configuration.

        Its autoscaling is deregistered first, because AWS refuses another instance type with it. A later stage registers it.
        """
        if scalable_targets(self.aws, self.name):
            self.aws.client("application-autoscaling").deregister_scalable_target(**scalable_target_id(self.name))
        self.aws.client("sagemaker").update_endpoint(EndpointName=self.name, EndpointConfigName=self.config)

    def link(self) -> str:
        """The endpoint's log in the console."""
        group = names.log_group(self.name).replace("/", "$252F")
        return self.aws.console_link("cloudwatch", f"logsV2:log-groups/log-group/{group}")

    def page_link(self) -> str:
        """The endpoint's page in the console."""
        return self.aws.console_link("sagemaker", f"/endpoints/{self.name}")


def model(aws: AwsSession, stack: Stack, endpoint: EndpointSettings, role: str, source: str | None) -> Model:
    """The model of an endpoint. `source`: S3 prefix of its uploaded files, None without any."""
    container: dict[str, Any] = {
        "Image": containers.image(endpoint, aws.region),
        "Environment": containers.environment(endpoint),
        **_model_location(endpoint, source),
    }
    definition: dict[str, Any] = {"PrimaryContainer": container, "ExecutionRoleArn": role}
    if stack.network.subnets:
        definition["VpcConfig"] = {
            "Subnets": list(stack.network.subnets),
            "SecurityGroupIds": list(stack.network.security_groups),
        }
    if stack.network.isolation:
        definition["EnableNetworkIsolation"] = True
    return Model(aws, versioned_name(endpoint.endpoint_name, definition), definition)


def config(aws: AwsSession, stack: Stack, endpoint: EndpointSettings, model_name: str) -> Config:
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


def scalable_target_id(endpoint: str) -> dict[str, str]:
    """The identifiers of an endpoint in Application Auto Scaling."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def scalable_targets(aws: AwsSession, endpoint: str) -> list[dict[str, Any]]:
    """The scalable targets registered for an endpoint; empty without autoscaling."""
    identifiers = scalable_target_id(endpoint)
    resource = identifiers.pop("ResourceId")
    describe = aws.client("application-autoscaling").describe_scalable_targets
    targets: list[dict[str, Any]] = describe(**identifiers, ResourceIds=[resource])["ScalableTargets"]
    return targets


def versioned_name(name: str, definition: Mapping[str, Any]) -> str:
    """The endpoint's name with the first 8 hex digits of the definition's SHA-256; 63 characters at most."""
    text = json.dumps(definition, sort_keys=True, ensure_ascii=False)
    return f"{names.version_prefix(name)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _model_location(endpoint: EndpointSettings, source: str | None) -> dict[str, Any]:
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
