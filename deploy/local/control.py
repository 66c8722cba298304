"""The SageMaker control plane: models, endpoint configurations and endpoints, created, described, changed and deleted.

Knows nothing of HTTP. Requests and responses are those of the service's JSON protocol; times are seconds since 1970.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from deploy.local import images
from deploy.local.listing import listing
from deploy.local.resources import Clock, ControlError, Endpoint, Resource, described
from deploy.local.served import Served
from deploy.local.spec import EndpointSpec
from deploy.local.wire import ACCOUNT, REGION, VARIANT
from rag.errors import SettingsError

Request = Mapping[str, Any]
Response = dict[str, Any]

_WORDS = {"model": "Model", "endpoint-config": "EndpointConfig", "endpoint": "Endpoint"}


class ControlPlane:
    """All resources of one emulator. `delete_seconds`: how long an endpoint stays in Deleting."""

    def __init__(self, *, clock: Clock = time.time, delete_seconds: float = 0.0) -> None:
        self._clock = clock
        self._delete_seconds = delete_seconds
        self._kept: dict[str, dict[str, Resource]] = {kind: {} for kind in _WORDS}
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

    def call(self, operation: str, given: Request, region: str = REGION) -> Response:
        """Do one operation. Raises ControlError as the service would refuse it."""
        self._bury()
        if operation not in self._operations:
            raise ControlError(f"{operation} is not emulated", "UnknownOperationException")
        try:
            return self._operations[operation](given, region)
        except KeyError as exc:
            raise ControlError(f"Missing required parameter: {exc.args[0]}") from exc

    def serving(self, name: str) -> Served | None:
        """What answers for an endpoint that is InService, or is being updated."""
        self._bury()
        found = self._endpoints().get(name)
        return found.served if found and found.status(self._clock()) in ("InService", "Updating") else None

    def endpoints(self) -> dict[str, tuple[str, Served]]:
        """State and what is served, by name."""
        self._bury()
        now = self._clock()
        return {name: (found.status(now), found.served) for name, found in self._endpoints().items() if found.served}

    def put(self, spec: EndpointSpec) -> None:
        """Create an endpoint with its model and configuration at once, or change what one serves."""
        if found := self._endpoints().get(spec.name):
            assert found.served
            found.served.set(spec)
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
        return {name: found for name, found in self._kept["endpoint"].items() if isinstance(found, Endpoint)}

    def _bury(self) -> None:
        now = self._clock()
        for name, found in self._endpoints().items():
            if found.gone_at is not None and found.gone_at <= now:
                del self._kept["endpoint"][name]

    def _find(self, kind: str, name: str, region: str) -> Resource:
        if name not in self._kept[kind]:
            # There is no error type of its own for this: clients tell it by the message.
            raise ControlError(f"Could not find {described(kind, name, region)}")
        return self._kept[kind][name]

    def _keep(self, resource: Resource) -> Response:
        if resource.name in self._kept[resource.kind]:
            what = described(resource.kind, resource.name, resource.region)
            raise ControlError(f"Cannot create already existing {what}")
        resource.tags.update(_tags(resource.given))
        self._kept[resource.kind][resource.name] = resource
        return {f"{_WORDS[resource.kind]}Arn": resource.arn}

    def _create_model(self, given: Request, region: str) -> Response:
        now = self._clock()
        return self._keep(Resource("model", given["ModelName"], region, dict(given), now, now))

    def _create_config(self, given: Request, region: str) -> Response:
        for variant in given["ProductionVariants"]:
            self._find("model", variant["ModelName"], region)
        now = self._clock()
        return self._keep(Resource("endpoint-config", given["EndpointConfigName"], region, dict(given), now, now))

    def _create_endpoint(self, given: Request, region: str) -> Response:
        name, now = given["EndpointName"], self._clock()
        served = self._served(name, given["EndpointConfigName"], region)
        spec = served.spec
        ready_at = now + spec.ready_seconds
        endpoint = Endpoint(
            "endpoint", name, region, dict(given), now, now, served=served, ready_at=ready_at, failure=spec.failure
        )
        return self._keep(endpoint)

    def _served(self, name: str, config: str, region: str) -> Served:
        variants = self._find("endpoint-config", config, region).given["ProductionVariants"]
        model = self._find("model", variants[0]["ModelName"], region).given
        try:
            return Served(images.served_by(name, model.get("PrimaryContainer") or model["Containers"][0]))
        except SettingsError as exc:
            raise ControlError(f"the emulator cannot tell what to serve: {exc}") from exc

    def _endpoint(self, given: Request, region: str) -> Endpoint:
        found = self._find("endpoint", given["EndpointName"], region)
        assert isinstance(found, Endpoint)
        return found

    def _update_endpoint(self, given: Request, region: str) -> Response:
        found, now = self._idle(given, region), self._clock()
        found.pending = self._served(found.name, given["EndpointConfigName"], region)
        found.pending_config = given["EndpointConfigName"]
        found.updated, found.modified = True, now
        found.ready_at = now + found.pending.spec.ready_seconds
        found.failure = found.pending.spec.failure
        return {"EndpointArn": found.arn}

    def _delete_endpoint(self, given: Request, region: str) -> Response:
        found, now = self._idle(given, region), self._clock()
        found.gone_at, found.modified = now + self._delete_seconds, now
        return {}

    def _idle(self, given: Request, region: str) -> Endpoint:
        found = self._endpoint(given, region)
        if found.status(self._clock()) in ("Creating", "Updating", "Deleting"):
            raise ControlError(f'Cannot update in-progress endpoint "{found.arn}".')
        return found

    def _describe_endpoint(self, given: Request, region: str) -> Response:
        found = self._endpoint(given, region)
        status = found.status(self._clock())
        described = _description(found) | {"EndpointStatus": status, "LastModifiedTime": found.modified}
        described["ProductionVariants"] = [{"VariantName": VARIANT, "CurrentInstanceCount": 1, "CurrentWeight": 1.0}]
        over = status in ("Failed", "InService")
        return described | ({"FailureReason": found.failure} if found.failure and over else {})

    def _describe_named(self, kind: str, given: Request, region: str) -> Response:
        return _description(self._find(kind, given[f"{_WORDS[kind]}Name"], region))

    def _delete(self, kind: str, given: Request, region: str) -> Response:
        name = given[f"{_WORDS[kind]}Name"]
        self._find(kind, name, region)
        del self._kept[kind][name]
        return {}

    def _list(self, kind: str, given: Request, _region: str) -> Response:
        now, word = self._clock(), _WORDS[kind]
        rows = []
        for found in self._kept[kind].values():
            row = {f"{word}Name": found.name, f"{word}Arn": found.arn, "CreationTime": found.created}
            if isinstance(found, Endpoint):
                row |= {"EndpointStatus": found.status(now), "LastModifiedTime": found.modified}
            rows.append(row)
        return listing(rows, f"{word}s", f"{word}Name", given)

    def _tagged(self, given: Request) -> Resource:
        for kept in self._kept.values():
            for found in kept.values():
                if found.arn == given["ResourceArn"]:
                    return found
        raise ControlError(f"Resource {given['ResourceArn']} does not exist")

    def _add_tags(self, given: Request, _region: str) -> Response:
        self._tagged(given).tags.update(_tags(given))
        return {"Tags": given["Tags"]}

    def _list_tags(self, given: Request, _region: str) -> Response:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(given).tags.items()]}

    def _delete_tags(self, given: Request, _region: str) -> Response:
        tags = self._tagged(given).tags
        for key in given["TagKeys"]:
            tags.pop(key, None)
        return {}


def _description(found: Resource) -> Response:
    given = {name: value for name, value in found.given.items() if name != "Tags"}
    return given | {f"{_WORDS[found.kind]}Arn": found.arn, "CreationTime": found.created}


def _tags(given: Request) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in given.get("Tags", ())}
