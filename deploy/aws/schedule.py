"""Off hours: EventBridge Scheduler deletes the endpoints in the evening and creates them again in the morning.

It calls the SageMaker API directly, without a Lambda function. Models and configurations are kept, as they are free.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy.aws.endpoints import scalable_target_id
from deploy.aws.errors import none_if_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.scaling import limits, tracking_policy
from deploy.aws.session import AwsSession
from deploy.stack import Autoscaling, Schedule

SCALING_DELAY_MINUTES = 60
"""Minutes from creating an endpoint to registering its autoscaling, for which the endpoint must exist."""
_RETRY = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5}


class OffHours(Resource):
    """A group of schedules. `configs`: configuration name by endpoint name; empty for a group that is only deleted."""

    kind = "schedule"

    def __init__(
        self,
        aws: AwsSession,
        name: str,
        desired: Schedule | None = None,
        configs: Mapping[str, str] | None = None,
        *,
        role: str = "",
        autoscaling: Autoscaling | None = None,
    ) -> None:
        super().__init__(aws, name)
        self._desired, self._role = desired, role
        self._configs, self._autoscaling = dict(configs or {}), autoscaling

    def describe(self) -> Description:
        """DIFFERENT if a schedule is missing, superfluous or differs."""
        client = self.aws.client("scheduler")
        group = none_if_missing(client.get_schedule_group, Name=self.name)
        if group is None:
            return ABSENT
        tags = client.list_tags_for_resource(ResourceArn=group["Arn"])["Tags"]
        if group["State"] == "DELETING":
            return self.owned_description(State.BUSY, tags)
        schedules = self.schedules()
        same = set(schedules) == self._existing() and all(
            self._matches(name, definition) for name, definition in schedules.items()
        )
        return self.owned_description(State.READY if same else State.DIFFERENT, tags, created=group["CreationDate"])

    def create(self) -> None:
        """Create the empty group; `change` writes its schedules."""
        self.aws.client("scheduler").create_schedule_group(Name=self.name, Tags=self.aws.tag_list)

    def change(self) -> None:
        """Delete superfluous schedules, and write those that are missing or differ."""
        client, existing, schedules = self.aws.client("scheduler"), self._existing(), self.schedules()
        for name in existing - set(schedules):
            client.delete_schedule(GroupName=self.name, Name=name)
        for name, definition in schedules.items():
            if name in existing and self._matches(name, definition):
                continue
            (client.update_schedule if name in existing else client.create_schedule)(
                GroupName=self.name, Name=name, **definition
            )

    def delete(self) -> None:
        """Delete the group with its schedules."""
        self.aws.client("scheduler").delete_schedule_group(Name=self.name)

    def schedules(self) -> dict[str, dict[str, Any]]:
        """The definition of each schedule by name, as arguments of CreateSchedule."""
        schedules: dict[str, dict[str, Any]] = {}
        for endpoint, config in self._configs.items() if self._desired else ():
            made = {"EndpointName": endpoint, "EndpointConfigName": config, "Tags": self.aws.tag_list}
            schedules[_schedule_name(endpoint, "off")] = self._at(
                "off", 0, "sagemaker:deleteEndpoint", {"EndpointName": endpoint}
            )
            schedules[_schedule_name(endpoint, "on")] = self._at("on", 0, "sagemaker:createEndpoint", made)
            if self._autoscaling:
                bounds = {**scalable_target_id(endpoint), **limits(self._autoscaling)}
                schedules[_schedule_name(endpoint, "range")] = self._at(
                    "on", SCALING_DELAY_MINUTES, "applicationautoscaling:registerScalableTarget", bounds
                )
                follow = {
                    "PolicyName": endpoint,
                    "PolicyType": "TargetTrackingScaling",
                    **scalable_target_id(endpoint),
                    "TargetTrackingScalingPolicyConfiguration": tracking_policy(self._autoscaling),
                }
                schedules[_schedule_name(endpoint, "policy")] = self._at(
                    "on", SCALING_DELAY_MINUTES + 5, "applicationautoscaling:putScalingPolicy", follow
                )
        return schedules

    def _at(self, moment: str, later: int, call: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        assert self._desired
        at = getattr(self._desired, moment)
        minutes = int(at[:2]) * 60 + int(at[3:]) + later
        return {
            "ScheduleExpression": f"cron({minutes % 60} {minutes // 60 % 24} ? * {self._desired.days} *)",
            "ScheduleExpressionTimezone": self._desired.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": f"arn:aws:scheduler:::aws-sdk:{call}",
                "RoleArn": self._role,
                "Input": json.dumps(arguments, ensure_ascii=False, sort_keys=True),
                "RetryPolicy": _RETRY,
            },
        }

    def _existing(self) -> set[str]:
        pages = self.aws.client("scheduler").get_paginator("list_schedules").paginate(GroupName=self.name)
        return {each["Name"] for page in pages for each in page["Schedules"]}

    def _matches(self, name: str, definition: Mapping[str, Any]) -> bool:
        existing = self.aws.client("scheduler").get_schedule(GroupName=self.name, Name=name)
        return all(existing.get(field) == value for field, value in definition.items())


def _schedule_name(endpoint: str, what: str) -> str:
    return f"{endpoint[:50].rstrip('-')}-{what}"
