"""Autoscaling of an endpoint's instances on the requests that each works on at once."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from deploy.aws.cloud import Cloud
from deploy.aws.endpoints import DIMENSION, NAMESPACE, EndpointResource, scalable, target
from deploy.aws.failures import is_missing
from deploy.aws.reconcile import ABSENT, Resource, Seen, State
from deploy.stack import Autoscaling

METRIC = "SageMakerVariantConcurrentRequestsPerModelHighResolution"


def limits(wanted: Autoscaling) -> dict[str, int]:
    return {"MinCapacity": wanted.min_instances, "MaxCapacity": wanted.max_instances}


def tracking(wanted: Autoscaling) -> dict[str, Any]:
    metric = {"PredefinedMetricType": METRIC}
    return {"TargetValue": wanted.concurrent_requests, "PredefinedMetricSpecification": metric}


class Scaling(Resource):
    """The range of instances and the policy that moves within it. Ours where the endpoint is.

    `wanted` None: only to be removed.
    """

    kind = "autoscaling"

    def __init__(self, cloud: Cloud, endpoint: str, wanted: Autoscaling | None = None) -> None:
        super().__init__(cloud, endpoint)
        self._wanted = wanted
        self._target = target(endpoint)
        self._ranged = False

    def look(self) -> Seen:
        self._ranged = False
        if not (found := scalable(self.cloud, self.name)):
            return ABSENT
        owner = EndpointResource(self.cloud, self.name).look()
        if owner.state is State.FOREIGN:
            return owner
        self._ranged = bool(self._wanted and limits(self._wanted).items() <= found[0].items())
        state = State.READY if self._ranged and self._follows() else State.DIFFERENT
        return Seen(state, made_by=owner.made_by, since=found[0]["CreationTime"])

    def create(self) -> None:
        if not self._wanted:
            return
        if not self._ranged:
            self._client.register_scalable_target(**self._target, **limits(self._wanted))
        self._client.put_scaling_policy(
            PolicyName=self.name,
            PolicyType="TargetTrackingScaling",
            **self._target,
            TargetTrackingScalingPolicyConfiguration=tracking(self._wanted),
        )

    def change(self) -> None:
        self.create()

    def delete(self) -> None:
        """The policy, and the alarms that the service made for it, go with the target; asked for all the same."""
        try:
            self._client.delete_scaling_policy(PolicyName=self.name, **self._target)
        except ClientError as exc:
            if not is_missing(exc):
                raise
        self._client.deregister_scalable_target(**self._target)

    def _follows(self) -> bool:
        found = self._client.describe_scaling_policies(
            ServiceNamespace=NAMESPACE, ResourceId=self._target["ResourceId"], ScalableDimension=DIMENSION
        )["ScalingPolicies"]
        followed = [
            each["TargetTrackingScalingPolicyConfiguration"] for each in found if each["PolicyName"] == self.name
        ]
        return bool(self._wanted and followed and tracking(self._wanted).items() <= followed[0].items())

    @property
    def _client(self) -> Any:
        return self.cloud.client("application-autoscaling")
