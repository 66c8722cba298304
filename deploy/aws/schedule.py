"""The nights off: EventBridge Scheduler deletes the endpoints in the evening and makes them again in the morning.

It calls SageMaker itself, so there is no function to run and to pay for. Models and configurations stay, which cost nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws.endpoints import target
from deploy.aws.errors import is_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.scaling import limits, tracking_policy
from deploy.aws.session import AwsSession
from deploy.stack import Autoscaling, Schedule

SCALING_DELAY_MINUTES = 60
"""Minutes after an endpoint is made again until its scaling is: an endpoint must be there for it."""
_RETRY = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5}


class OffHours(Resource):
    """A group of schedules. `configs`: the configuration of each endpoint by its name; empty: only to be removed."""

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
        """DIFFERENT where a schedule is missing, left over or another one."""
        client = self.aws.client("scheduler")
        try:
            group = client.get_schedule_group(Name=self.name)
        except ClientError as exc:
            if is_missing(exc):
                return ABSENT
            raise
        tags = client.list_tags_for_resource(ResourceArn=group["Arn"])["Tags"]
        if group["State"] == "DELETING":
            return self.owned_description(State.BUSY, tags)
        members = self.members()
        same = set(members) == self._existing() and all(
            self._is(name, definition) for name, definition in members.items()
        )
        return self.owned_description(State.READY if same else State.DIFFERENT, tags, since=group["CreationDate"])

    def create(self) -> None:
        """The group alone; `change` writes its schedules."""
        self.aws.client("scheduler").create_schedule_group(Name=self.name, Tags=self.aws.tag_list)

    def change(self) -> None:
        """Remove schedules that are left over, write those that are missing or differ."""
        client, existing, members = self.aws.client("scheduler"), self._existing(), self.members()
        for name in existing - set(members):
            client.delete_schedule(GroupName=self.name, Name=name)
        for name, definition in members.items():
            if name in existing and self._is(name, definition):
                continue
            (client.update_schedule if name in existing else client.create_schedule)(
                GroupName=self.name, Name=name, **definition
            )

    def delete(self) -> None:
        """Its schedules go with it."""
        self.aws.client("scheduler").delete_schedule_group(Name=self.name)

    def members(self) -> dict[str, dict[str, Any]]:
        """Each schedule's name and what is asked for it."""
        schedules: dict[str, dict[str, Any]] = {}
        for endpoint, config in self._configs.items() if self._desired else ():
            made = {"EndpointName": endpoint, "EndpointConfigName": config, "Tags": self.aws.tag_list}
            schedules[_named(endpoint, "off")] = self._at(
                "off", 0, "sagemaker:deleteEndpoint", {"EndpointName": endpoint}
            )
            schedules[_named(endpoint, "on")] = self._at("on", 0, "sagemaker:createEndpoint", made)
            if self._autoscaling:
                bounds = {**target(endpoint), **limits(self._autoscaling)}
                schedules[_named(endpoint, "range")] = self._at(
                    "on", SCALING_DELAY_MINUTES, "applicationautoscaling:registerScalableTarget", bounds
                )
                follow = {
                    "PolicyName": endpoint,
                    "PolicyType": "TargetTrackingScaling",
                    **target(endpoint),
                    "TargetTrackingScalingPolicyConfiguration": tracking_policy(self._autoscaling),
                }
                schedules[_named(endpoint, "policy")] = self._at(
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

    def _is(self, name: str, definition: Mapping[str, Any]) -> bool:
        existing = self.aws.client("scheduler").get_schedule(GroupName=self.name, Name=name)
        return all(existing.get(field) == value for field, value in definition.items())


def _named(endpoint: str, what: str) -> str:
    return f"{endpoint[:50].rstrip('-')}-{what}"
