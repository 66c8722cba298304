"""The control plane of SageMaker: operations on models, endpoint configurations and endpoints.

It is independent of HTTP: requests and responses are those of the service's JSON protocol, with times in seconds since 1970.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from deploy.local import images
from deploy.local.errors import ACCOUNT, REGION, VARIANT
from deploy.local.model_server import ModelServer
from deploy.local.resources import Clock, ControlError, Endpoint, Resource, display_name
from deploy.local.spec import EndpointSpec
from rag.errors import SettingsError

Request = Mapping[str, Any]
Response = dict[str, Any]

_WORDS = {"model": "Model", "endpoint-config": "EndpointConfig", "endpoint": "Endpoint"}


class ControlPlane:
    """All resources of one emulator. `delete_seconds`: time that an endpoint stays in state Deleting."""

    def __init__(self, *, clock: Clock = time.time, delete_seconds: float = 0.0) -> None:
        self._clock = clock
        self._delete_seconds = delete_seconds
        self._resources: dict[str, dict[str, Resource]] = {kind: {} for kind in _WORDS}
        self._operations: dict[str, Callable[[Request, str], Response]] = {
            "CreateModel": self._create_model,
            "CreateEndpointConfig": self._create_config,
            "CreateEndpoint": self._create_endpoint,
            "UpdateEndpoint": self._update_endpoint,
            "DeleteEndpoint": self._delete_endpoint,
            "DescribeEndpoint": self._describe_endpoint,
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
            "DeleteTags": self._delete_tags,
        }
        for kind, word in _WORDS.items():
            self._operations[f"List{word}s"] = partial(self._list, kind)
            self._operations.setdefault(f"Describe{word}", partial(self._describe_named, kind))
            self._operations.setdefault(f"Delete{word}", partial(self._delete, kind))

    def call(self, operation: str, request: Request, region: str = REGION) -> Response:
        """Execute one operation. Raises ControlError where the service would return an error."""
        self._remove_deleted()
        if operation not in self._operations:
            raise ControlError(f"{operation} is not emulated", "UnknownOperationException")
        try:
            return self._operations[operation](request, region)
        except KeyError as exc:
            raise ControlError(f"Missing required parameter: {exc.args[0]}") from exc

    def serving(self, name: str) -> ModelServer | None:
        """The model server of an endpoint in state InService or Updating, else None."""
        self._remove_deleted()
        endpoint = self._endpoints().get(name)
        return endpoint.server if endpoint and endpoint.status(self._clock()) in ("InService", "Updating") else None

    def endpoints(self) -> dict[str, tuple[str, ModelServer]]:
        """State and model server of each endpoint, by name."""
        self._remove_deleted()
        now = self._clock()
        return {
            name: (endpoint.status(now), endpoint.server)
            for name, endpoint in self._endpoints().items()
            if endpoint.server
        }

    def put(self, spec: EndpointSpec) -> None:
        """Create an endpoint with its model and configuration, or replace the spec of an existing one."""
        if existing := self._endpoints().get(spec.name):
            assert existing.server
            existing.server.set(spec)
            return
        environment = {images.VARIABLE: spec.model_dump_json(exclude={"name"}, exclude_defaults=True)}
        container = {"Image": "emulator", "Environment": environment}
        variant = {
            "VariantName": VARIANT,
            "ModelName": spec.name,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        role = f"arn:aws:iam::{ACCOUNT}:role/emulator"
        self.call("CreateModel", {"ModelName": spec.name, "PrimaryContainer": container, "ExecutionRoleArn": role})
        self.call("CreateEndpointConfig", {"EndpointConfigName": spec.name, "ProductionVariants": [variant]})
        self.call("CreateEndpoint", {"EndpointName": spec.name, "EndpointConfigName": spec.name})

    def _endpoints(self) -> dict[str, Endpoint]:
        return {
            name: resource for name, resource in self._resources["endpoint"].items() if isinstance(resource, Endpoint)
        }

    def _remove_deleted(self) -> None:
        now = self._clock()
        for name, endpoint in self._endpoints().items():
            if endpoint.gone_at is not None and endpoint.gone_at <= now:
                del self._resources["endpoint"][name]

    def _find(self, kind: str, name: str, region: str) -> Resource:
        if name not in self._resources[kind]:
            # The service has no error type for this: clients recognise the message.
            raise ControlError(f"Could not find {display_name(kind, name, region)}")
        return self._resources[kind][name]

    def _add(self, resource: Resource) -> Response:
        if resource.name in self._resources[resource.kind]:
            what = display_name(resource.kind, resource.name, resource.region)
            raise ControlError(f"Cannot create already existing {what}")
        resource.tags.update(_tags(resource.request))
        self._resources[resource.kind][resource.name] = resource
        return {f"{_WORDS[resource.kind]}Arn": resource.arn}

    def _create_model(self, request: Request, region: str) -> Response:
        now = self._clock()
        return self._add(Resource("model", request["ModelName"], region, dict(request), now, now))

    def _create_config(self, request: Request, region: str) -> Response:
        for variant in request["ProductionVariants"]:
            self._find("model", variant["ModelName"], region)
        now = self._clock()
        return self._add(Resource("endpoint-config", request["EndpointConfigName"], region, dict(request), now, now))

    def _create_endpoint(self, request: Request, region: str) -> Response:
        name, now = request["EndpointName"], self._clock()
        server = self._model_server(name, request["EndpointConfigName"], region)
        spec = server.spec
        ready_at = now + spec.ready_seconds
        endpoint = Endpoint(
            "endpoint", name, region, dict(request), now, now, server=server, ready_at=ready_at, failure=spec.failure
        )
        return self._add(endpoint)

    def _model_server(self, name: str, config: str, region: str) -> ModelServer:
        variants = self._find("endpoint-config", config, region).request["ProductionVariants"]
        model = self._find("model", variants[0]["ModelName"], region).request
        try:
            return ModelServer(images.spec_for_container(name, model.get("PrimaryContainer") or model["Containers"][0]))
        except SettingsError as exc:
            raise ControlError(f"the emulator does not know this container: {exc}") from exc

    def _endpoint(self, request: Request, region: str) -> Endpoint:
        endpoint = self._find("endpoint", request["EndpointName"], region)
        assert isinstance(endpoint, Endpoint)
        return endpoint

    def _update_endpoint(self, request: Request, region: str) -> Response:
        endpoint, now = self._idle(request, region), self._clock()
        endpoint.pending = self._model_server(endpoint.name, request["EndpointConfigName"], region)
        endpoint.pending_config = request["EndpointConfigName"]
        endpoint.updated, endpoint.modified = True, now
        endpoint.ready_at = now + endpoint.pending.spec.ready_seconds
        endpoint.failure = endpoint.pending.spec.failure
        return {"EndpointArn": endpoint.arn}

    def _delete_endpoint(self, request: Request, region: str) -> Response:
        endpoint, now = self._idle(request, region), self._clock()
        endpoint.gone_at, endpoint.modified = now + self._delete_seconds, now
        return {}

    def _idle(self, request: Request, region: str) -> Endpoint:
        endpoint = self._endpoint(request, region)
        if endpoint.status(self._clock()) in ("Creating", "Updating", "Deleting"):
            raise ControlError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        return endpoint

    def _describe_endpoint(self, request: Request, region: str) -> Response:
        endpoint = self._endpoint(request, region)
        status = endpoint.status(self._clock())
        described = _description(endpoint) | {"EndpointStatus": status, "LastModifiedTime": endpoint.modified}
        described["ProductionVariants"] = [{"VariantName": VARIANT, "CurrentInstanceCount": 1, "CurrentWeight": 1.0}]
        over = status in ("Failed", "InService")
        return described | ({"FailureReason": endpoint.failure} if endpoint.failure and over else {})

    def _describe_named(self, kind: str, request: Request, region: str) -> Response:
        return _description(self._find(kind, request[f"{_WORDS[kind]}Name"], region))

    def _delete(self, kind: str, request: Request, region: str) -> Response:
        name = request[f"{_WORDS[kind]}Name"]
        self._find(kind, name, region)
        del self._resources[kind][name]
        return {}

    def _list(self, kind: str, request: Request, _region: str) -> Response:
        now, word = self._clock(), _WORDS[kind]
        rows = []
        for resource in self._resources[kind].values():
            row = {f"{word}Name": resource.name, f"{word}Arn": resource.arn, "CreationTime": resource.created}
            if isinstance(resource, Endpoint):
                row |= {"EndpointStatus": resource.status(now), "LastModifiedTime": resource.modified}
            rows.append(row)
        return list_page(rows, f"{word}s", f"{word}Name", request)

    def _tagged(self, request: Request) -> Resource:
        for resources in self._resources.values():
            for resource in resources.values():
                if resource.arn == request["ResourceArn"]:
                    return resource
        raise ControlError(f"Resource {request['ResourceArn']} does not exist")

    def _add_tags(self, request: Request, _region: str) -> Response:
        self._tagged(request).tags.update(_tags(request))
        return {"Tags": request["Tags"]}

    def _list_tags(self, request: Request, _region: str) -> Response:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(request).tags.items()]}

    def _delete_tags(self, request: Request, _region: str) -> Response:
        tags = self._tagged(request).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}


def _description(resource: Resource) -> Response:
    request = {name: value for name, value in resource.request.items() if name != "Tags"}
    return request | {f"{_WORDS[resource.kind]}Arn": resource.arn, "CreationTime": resource.created}


def _tags(request: Request) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}


PAGE = 100


def list_page(rows: Sequence[dict[str, Any]], field: str, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """One page of rows as {`field`: rows}, with NextToken if there are more; newest first by default.

    Supports NameContains, StatusEquals, SortBy, SortOrder, MaxResults (PAGE at most) and NextToken of the request.
    """
    key = name if request.get("SortBy") == "Name" else "CreationTime"
    matching = [row for row in rows if request.get("NameContains", "") in row[name]]
    if status := request.get("StatusEquals"):
        matching = [row for row in matching if row.get("EndpointStatus") == status]
    matching.sort(key=lambda row: row[key], reverse=request.get("SortOrder", "Descending") == "Descending")
    start = int(request.get("NextToken", "0"))
    end = start + min(int(request.get("MaxResults", PAGE)), PAGE)
    return {field: matching[start:end], **({"NextToken": str(end)} if end < len(matching) else {})}
