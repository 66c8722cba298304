"""AwsSession: the account, region and clients of a deployment, and the tags that mark the resources of a stack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from deploy.aws.errors import translate_errors
from deploy.stack import Stack
from rag.errors import DeployError

STACK_TAG, CREATOR_TAG = "fsi-stack", "fsi-made-by"
Tags = Mapping[str, str] | Iterable[Mapping[str, str]]
_NOT_IN_TAGS = re.compile(r"[^\w .:/=+@-]")


class AwsSession:
    """One account and region. Clients are created at first use. Raises DeployError without a region or credentials."""

    def __init__(self, stack: Stack, session: Any = None) -> None:
        try:
            self.boto3_session = session or boto3.session.Session(region_name=stack.region)
        except BotoCoreError as exc:
            raise DeployError(f"no AWS session: {exc}; set AWS_PROFILE to a profile that exists, or unset it") from exc
        self.region = str(stack.region or self.boto3_session.region_name or "")
        if not self.region:
            raise DeployError("no AWS region; set `region` in the stack file, or AWS_DEFAULT_REGION")
        self.stack_name = stack.name
        self._more_tags = stack.tags
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service, such as "s3"; created once."""
        if service not in self._clients:
            config = Config(retries={"mode": "standard", "total_max_attempts": 4}, user_agent_extra="fsi-deploy")
            with translate_errors(service, self.region):
                self._clients[service] = self.boto3_session.client(service, region_name=self.region, config=config)
        return self._clients[service]

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients.values():
            client.close()

    @cached_property
    def _caller(self) -> Mapping[str, str]:
        with translate_errors("the caller's identity", self.region):
            identity: Mapping[str, str] = self.client("sts").get_caller_identity()
        return identity

    @property
    def account(self) -> str:
        """The account ID, 12 digits. Raises DeployError without credentials."""
        return self._caller["Account"]

    @property
    def caller(self) -> str:
        """The caller's identity, such as `user/kim` or `assumed-role/admin/kim`."""
        return _NOT_IN_TAGS.sub("-", self._caller["Arn"].rpartition(":")[2])[:256]

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource that the deployment creates."""
        return {**self._more_tags, STACK_TAG: self.stack_name, CREATOR_TAG: self.caller}

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """`tags` as a list of Key and Value, the form that most services expect."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def has_stack_tag(self, tags: Tags) -> bool:
        """Whether a resource with these tags belongs to this stack."""
        return as_mapping(tags).get(STACK_TAG) == self.stack_name

    def role_arn(self, name: str) -> str:
        """The ARN of an IAM role in this account, also before the role exists."""
        return f"arn:aws:iam::{self.account}:role/{name}"

    def console_link(self, service: str, page: str) -> str:
        """URL of a page of the AWS console. `page`: what follows the `#`."""
        return f"https://{self.region}.console.aws.amazon.com/{service}/home?region={self.region}#{page}"


def as_mapping(tags: Tags) -> Mapping[str, str]:
    """Tags as a mapping, from a mapping or a list of Key and Value."""
    return tags if isinstance(tags, Mapping) else {tag["Key"]: tag["Value"] for tag in tags}
