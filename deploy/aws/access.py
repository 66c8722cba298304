"""Who may do what: the roles that SageMaker and the scheduler take on, with policies kept as files; and the log groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws.errors import is_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.session import AwsSession

RETENTION_DAYS = 30


class Role(Resource):
    """A role of our own with one inline policy."""

    kind = "role"

    def __init__(self, aws: AwsSession, name: str, service: str, permissions: Mapping[str, Any]) -> None:
        super().__init__(aws, name)
        self.permissions = permissions
        self._trusted = True
        self._bounded = True
        trusted = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            # Or the service could be made to take on this role for somebody else's account.
            "Condition": {"StringEquals": {"aws:SourceAccount": aws.account}},
        }
        self._trust = {"Version": "2012-10-17", "Statement": [trusted]}
        self._boundary = f"arn:aws:iam::{aws.account}:policy/fsi-{aws.stack_name}-boundary"

    @property
    def arn(self) -> str:
        """Known before the role is made."""
        return f"arn:aws:iam::{self.aws.account}:role/{self.name}"

    def describe(self) -> Description:
        """DIFFERENT where another service is trusted, the boundary is missing or the inline policy is another one."""
        iam = self.aws.client("iam")
        try:
            role = iam.get_role(RoleName=self.name)["Role"]
        except ClientError as exc:
            if is_missing(exc):
                return ABSENT
            raise
        self._trusted = role["AssumeRolePolicyDocument"] == self._trust
        self._bounded = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == self._boundary
        same = self._trusted and self._bounded and self._permitted() == self.permissions
        state = State.READY if same else State.DIFFERENT
        return self.owned_description(state, role.get("Tags", ()), since=role["CreateDate"])

    def create(self) -> None:
        """Without its policy, which `change` writes: AWS makes no role and inline policy in one request."""
        self.aws.client("iam").create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self._trust),
            PermissionsBoundary=self._boundary,
            Tags=self.aws.tag_list,
        )

    def change(self) -> None:
        """Write the trust policy and the boundary where they differ, and the inline policy."""
        iam = self.aws.client("iam")
        if not self._trusted:
            iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(self._trust))
        if not self._bounded:
            iam.put_role_permissions_boundary(RoleName=self.name, PermissionsBoundary=self._boundary)
        iam.put_role_policy(RoleName=self.name, PolicyName=self.name, PolicyDocument=json.dumps(self.permissions))

    def delete(self) -> None:
        """IAM refuses a role that still has its policy."""
        iam = self.aws.client("iam")
        if self._permitted() is not None:
            iam.delete_role_policy(RoleName=self.name, PolicyName=self.name)
        iam.delete_role(RoleName=self.name)

    def _permitted(self) -> Any:
        try:
            return self.aws.client("iam").get_role_policy(RoleName=self.name, PolicyName=self.name)["PolicyDocument"]
        except ClientError as exc:
            if is_missing(exc):
                return None
            raise


class LogGroup(Resource):
    """Made before the endpoint that writes to it, so that it is ours to remove and its lines do not stay for ever.

    One that the service has made before is used, and left where it is.
    """

    kind = "log group"
    shared = True

    def describe(self) -> Description:
        """DIFFERENT where lines are kept for another time than RETENTION_DAYS."""
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
        """Set how long lines are kept."""
        self.aws.client("logs").put_retention_policy(logGroupName=self.name, retentionInDays=RETENTION_DAYS)

    def delete(self) -> None:
        self.aws.client("logs").delete_log_group(logGroupName=self.name)
