"""Autoscaling of an endpoint by the number of concurrent requests per instance."""

from __future__ import annotations

from typing import Any

from deploy.aws.endpoints import Endpoint, scalable_target_id, scalable_targets
from deploy.aws.errors import none_if_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.session import AwsSession
from deploy.stack import Autoscaling

METRIC = "SageMakerVariantConcurrentRequestsPerModelHighResolution"


def limits(desired: Autoscaling) -> dict[str, int]:
    """The range of instances, as arguments of Application Auto Scaling."""
    return {"MinCapacity": desired.min_instances, "MaxCapacity": desired.max_instances}


def tracking_policy(desired: Autoscaling) -> dict[str, Any]:
    """The target tracking configuration: concurrent requests per instance."""
    metric = {"PredefinedMetricType": METRIC}
    return {"TargetValue": desired.concurrent_requests, "PredefinedMetricSpecification": metric}


class Scaling(Resource):
    """The range of instances of an endpoint and its scaling policy. It is owned if the endpoint is.

    `desired`: None for a resource that is only deleted.
    """

    kind = "autoscaling"

    def __init__(self, aws: AwsSession, endpoint: str, desired: Autoscaling | None = None) -> None:
        super().__init__(aws, endpoint)
        self._desired = desired
        self._target = scalable_target_id(endpoint)
        self._limits_match = False

    def describe(self) -> Description:
        """DIFFERENT if the range or the policy differs. Ownership is that of the endpoint, as scalable targets have no tags."""
        self._limits_match = False
        if not (targets := scalable_targets(self.aws, self.name)):
            return ABSENT
        owner = Endpoint(self.aws, self.name).describe()
        if owner.state is State.NOT_OURS:
            return owner
        self._limits_match = bool(self._desired and limits(self._desired).items() <= targets[0].items())
        state = State.READY if self._limits_match and self._has_policy() else State.DIFFERENT
        return Description(state, created_by=owner.created_by, created=targets[0]["CreationTime"])

    def create(self) -> None:
        """Register the range if it differs, and write the policy."""
        if not self._desired:
            return
        if not self._limits_match:
            self._client.register_scalable_target(**self._target, **limits(self._desired))
        self._client.put_scaling_policy(
            PolicyName=self.name,
            PolicyType="TargetTrackingScaling",
            **self._target,
            TargetTrackingScalingPolicyConfiguration=tracking_policy(self._desired),
        )

    def change(self) -> None:
        self.create()

    def delete(self) -> None:
        """Delete the policy, then the target; AWS deletes the alarms of the policy with it."""
        none_if_missing(self._client.delete_scaling_policy, PolicyName=self.name, **self._target)
        self._client.deregister_scalable_target(**self._target)

    def _has_policy(self) -> bool:
        policies = self._client.describe_scaling_policies(**self._target)["ScalingPolicies"]
        existing = [
            each["TargetTrackingScalingPolicyConfiguration"] for each in policies if each["PolicyName"] == self.name
        ]
        return bool(self._desired and existing and tracking_policy(self._desired).items() <= existing[0].items())

    @property
    def _client(self) -> Any:
        return self.aws.client("application-autoscaling")
