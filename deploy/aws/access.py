"""IAM roles for SageMaker and the scheduler, and log groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy.aws.errors import none_if_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.session import AwsSession

RETENTION_DAYS = 30


class Role(Resource):
    """An IAM role with one inline policy and a permissions boundary."""

    kind = "role"

    def __init__(self, aws: AwsSession, name: str, service: str, permissions: Mapping[str, Any]) -> None:
        super().__init__(aws, name)
        self.permissions = permissions
        self._trust_matches = True
        self._boundary_matches = True
        trusted = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            # Prevents a confused deputy: the service assumes the role on behalf of this account only.
            "Condition": {"StringEquals": {"aws:SourceAccount": aws.account}},
        }
        self._trust = {"Version": "2012-10-17", "Statement": [trusted]}
        self._boundary = f"arn:aws:iam::{aws.account}:policy/fsi-{aws.stack_name}-boundary"

    def describe(self) -> Description:
        """DIFFERENT if the trust policy, the permissions boundary or the inline policy differs."""
        response = none_if_missing(self.aws.client("iam").get_role, RoleName=self.name)
        if response is None:
            return ABSENT
        role = response["Role"]
        self._trust_matches = role["AssumeRolePolicyDocument"] == self._trust
        self._boundary_matches = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == self._boundary
        same = self._trust_matches and self._boundary_matches and self._inline_policy() == self.permissions
        state = State.READY if same else State.DIFFERENT
        return self.owned_description(state, role.get("Tags", ()), created=role["CreateDate"])

    def create(self) -> None:
        """Create the role without its inline policy, which needs a request of its own: `change` writes it."""
        self.aws.client("iam").create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self._trust),
            PermissionsBoundary=self._boundary,
            Tags=self.aws.tag_list,
        )

    def change(self) -> None:
        """Write the inline policy, and the trust policy and the boundary if they differ."""
        iam = self.aws.client("iam")
        if not self._trust_matches:
            iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(self._trust))
        if not self._boundary_matches:
            iam.put_role_permissions_boundary(RoleName=self.name, PermissionsBoundary=self._boundary)
        iam.put_role_policy(RoleName=self.name, PolicyName=self.name, PolicyDocument=json.dumps(self.permissions))

    def delete(self) -> None:
        """Delete the inline policy, then the role: IAM does not delete a role that has policies."""
        iam = self.aws.client("iam")
        if self._inline_policy() is not None:
            iam.delete_role_policy(RoleName=self.name, PolicyName=self.name)
        iam.delete_role(RoleName=self.name)

    def _inline_policy(self) -> Any:
        read = self.aws.client("iam").get_role_policy
        response = none_if_missing(read, RoleName=self.name, PolicyName=self.name)
        return response and response["PolicyDocument"]


class LogGroup(Resource):
    """An endpoint's log group, created before the endpoint so that it has a retention and belongs to the stack.

    A log group that the service created earlier is used, and not deleted.
    """

    kind = "log group"
    shared = True

    def describe(self) -> Description:
        """DIFFERENT if the retention is not RETENTION_DAYS."""
        logs = self.aws.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix=self.name)["logGroups"]
        existing = next((group for group in groups if group["logGroupName"] == self.name), None)
        if existing is None:
            return ABSENT
        arn = existing["arn"].removesuffix(":*")
        tags = logs.list_tags_for_resource(resourceArn=arn)["tags"]
        return self.owned_description(
            State.READY if existing.get("retentionInDays") == RETENTION_DAYS else State.DIFFERENT, tags
        )

    def create(self) -> None:
        self.aws.client("logs").create_log_group(logGroupName=self.name, tags=self.aws.tags)

    def change(self) -> None:
        """Set the retention."""
        self.aws.client("logs").put_retention_policy(logGroupName=self.name, retentionInDays=RETENTION_DAYS)

    def delete(self) -> None:
        self.aws.client("logs").delete_log_group(logGroupName=self.name)
