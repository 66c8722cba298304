"""The OpenSearch domain and its generated passwords, which are stored only in Secrets Manager and never printed."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from deploy.aws.errors import none_if_missing
from deploy.aws.reconcile import ABSENT, Description, Resource, State
from deploy.aws.session import AwsSession, as_mapping
from deploy.sizing import size
from deploy.stack import OpenSearch, Stack

VERSION_TAG = "fsi-secret-version"
"""Tag with the version ID of the password that was set on the domain; the ID reveals nothing about the password."""
TLS = "Policy-Min-TLS-1-2-PFS-2023-10"
_ALPHABETS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!@#%^*-_=+")


class Password(Resource):
    """A generated password of a search user, as a secret in Secrets Manager."""

    kind = "secret"

    def __init__(self, aws: AwsSession, name: str, kms_key: str | None = None) -> None:
        super().__init__(aws, name)
        self._key = {"KmsKeyId": kms_key} if kms_key else {}

    def describe(self) -> Description:
        """BUSY while a secret of this name is being deleted."""
        secret = self._response()
        if secret is None:
            return ABSENT
        state = State.BUSY if secret.get("DeletedDate") else State.READY
        return self.owned_description(state, secret.get("Tags", ()), created=secret.get("CreatedDate"))

    def create(self) -> None:
        self.aws.client("secretsmanager").create_secret(
            Name=self.name, SecretString=generate_password(), Tags=self.aws.tag_list, **self._key
        )

    def delete(self) -> None:
        """Delete it without a recovery window, during which the name could not be used again."""
        self.aws.client("secretsmanager").delete_secret(SecretId=self.name, ForceDeleteWithoutRecovery=True)

    def read(self) -> tuple[str, str]:
        """The password and its version ID."""
        value = self.aws.client("secretsmanager").get_secret_value(SecretId=self.name)
        return value["SecretString"], value["VersionId"]

    def version(self) -> str:
        """The current version ID; empty if the secret does not exist."""
        versions = (self._response() or {}).get("VersionIdsToStages", {})
        return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), "")

    def _response(self) -> dict[str, Any] | None:
        return none_if_missing(self.aws.client("secretsmanager").describe_secret, SecretId=self.name)


def generate_password() -> str:
    """32 random characters with one of each class, as OpenSearch requires; without quotes, backslash and dollar sign."""
    random = secrets.SystemRandom()
    drawn = [random.choice(alphabet) for alphabet in _ALPHABETS] + random.choices("".join(_ALPHABETS), k=28)
    random.shuffle(drawn)
    return "".join(drawn)


class Domain(Resource):
    """The OpenSearch domain. `stack`: None for a domain that is only deleted; `password`: None for access by role."""

    kind = "domain"
    wait_seconds = 5400.0

    def __init__(
        self, aws: AwsSession, name: str, stack: Stack | None = None, password: Password | None = None
    ) -> None:
        super().__init__(aws, name)
        self._stack = stack
        self._password = password

    def describe(self) -> Description:
        """DIFFERENT if instances, storage, access policy or the password's version differ."""
        status = self._status()
        if status is None:
            return ABSENT
        tags = self.aws.client("opensearch").list_tags(ARN=status["ARN"])["TagList"]
        return self.owned_description(
            self._state(status, as_mapping(tags)), tags, str(status.get("DomainProcessingStatus", ""))
        )

    def address(self) -> str:
        """URL of the domain; empty before it has one."""
        return _address(self._status() or {})

    def create(self) -> None:
        """Create it with its tags, among them the version of its password, in the same request."""
        definition = self._definition(self._desired())
        version = {VERSION_TAG: self._password.version()} if self._password else {}
        tags = [{"Key": key, "Value": value} for key, value in {**self.aws.tags, **version}.items()]
        engine = f"OpenSearch_{self._desired().version}"
        self.aws.client("opensearch").create_domain(
            DomainName=self.name,
            EngineVersion=engine,
            **definition,
            AdvancedSecurityOptions=self._users(),
            TagList=tags,
        )

    def change(self) -> None:
        """Update instances, storage, access policy and password; the engine version is not changed."""
        client = self.aws.client("opensearch")
        users = {"AdvancedSecurityOptions": self._users()} if self._password else {}
        definition = self._definition(self._desired())
        fixed = ("EncryptionAtRestOptions", "NodeToNodeEncryptionOptions")
        client.update_domain_config(
            DomainName=self.name, **{name: value for name, value in definition.items() if name not in fixed}, **users
        )
        if self._password and (status := self._status()):
            version = {"Key": VERSION_TAG, "Value": self._password.version()}
            client.add_tags(ARN=status["ARN"], TagList=[version])

    def delete(self) -> None:
        self.aws.client("opensearch").delete_domain(DomainName=self.name)

    def link(self) -> str:
        return self.aws.console_link("aos", f"opensearch/domains/{self.name}")

    def _status(self) -> dict[str, Any] | None:
        """The DomainStatus of DescribeDomain, or None if the domain does not exist."""
        response = none_if_missing(self.aws.client("opensearch").describe_domain, DomainName=self.name)
        return response and response["DomainStatus"]

    def _desired(self) -> OpenSearch:
        assert self._stack and self._stack.opensearch
        return self._stack.opensearch

    def _state(self, status: Mapping[str, Any], tags: Mapping[str, str]) -> State:
        """The state of the domain; boto3 has no waiters for domains."""
        if status.get("Deleted") or status.get("Processing") or not status.get("Created", True):
            return State.BUSY
        if status.get("DomainProcessingStatus", "Active") not in ("Active", "Isolated") or not _address(status):
            return State.BUSY
        if not (self._stack and self._stack.opensearch):
            return State.READY
        known = self._password is None or tags.get(VERSION_TAG) == self._password.version()
        return State.READY if known and self._same(status) else State.DIFFERENT

    def _same(self, status: Mapping[str, Any]) -> bool:
        desired = self._definition(self._desired())
        cluster, disks = status["ClusterConfig"], status["EBSOptions"]
        return (
            normalize_policy(json.loads(status.get("AccessPolicies") or "{}"))
            == normalize_policy(json.loads(desired["AccessPolicies"]))
            and all(cluster.get(name) == desired["ClusterConfig"][name] for name in ("InstanceType", "InstanceCount"))
            and disks.get("VolumeSize") == desired["EBSOptions"]["VolumeSize"]
        )

    def _definition(self, desired: OpenSearch) -> dict[str, Any]:
        assert self._stack
        sized, key = size(desired), self._stack.kms_key
        cluster: dict[str, Any] = {
            "InstanceType": sized.instance_type,
            "InstanceCount": desired.nodes,
            "DedicatedMasterEnabled": False,
            "ZoneAwarenessEnabled": desired.nodes > 1,
        }
        if desired.nodes > 1:
            cluster["ZoneAwarenessConfig"] = {"AvailabilityZoneCount": desired.zones}
        definition: dict[str, Any] = {
            "ClusterConfig": cluster,
            "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": sized.storage_gb},
            "AccessPolicies": json.dumps(self._access(desired)),
            "EncryptionAtRestOptions": {"Enabled": True} | ({"KmsKeyId": key} if key else {}),
            "NodeToNodeEncryptionOptions": {"Enabled": True},
            "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": TLS},
        }
        if desired.access == "vpc":
            network = self._stack.network
            subnets = list(network.subnets[: desired.zones])
            definition["VPCOptions"] = {"SubnetIds": subnets, "SecurityGroupIds": list(network.security_groups)}
        return definition

    def _access(self, desired: OpenSearch) -> dict[str, Any]:
        """The access policy, which admits requests before authentication."""
        arn = f"arn:aws:es:{self.aws.region}:{self.aws.account}:domain/{self.name}/*"
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "es:ESHttp*",
            "Resource": arn,
        }
        if desired.access == "role":
            statement["Principal"] = {"AWS": desired.role_arn}
        if desired.access == "ip":
            statement["Condition"] = {"IpAddress": {"aws:SourceIp": list(desired.addresses)}}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _users(self) -> dict[str, Any]:
        if self._password is None:
            return {"Enabled": True, "MasterUserOptions": {"MasterUserARN": self._desired().role_arn}}
        master = {"MasterUserName": self._desired().user, "MasterUserPassword": self._password.read()[0]}
        return {"Enabled": True, "InternalUserDatabaseEnabled": True, "MasterUserOptions": master}


def normalize_policy(policy: Any) -> Any:
    """A policy in a form that can be compared: AWS may return a list of one as its member, and lists in any order."""
    if isinstance(policy, dict):
        return {name: normalize_policy(each) for name, each in policy.items()}
    if isinstance(policy, list):
        return (
            normalize_policy(policy[0])
            if len(policy) == 1
            else sorted((normalize_policy(each) for each in policy), key=repr)
        )
    return policy


def _address(status: Mapping[str, Any]) -> str:
    host = status.get("Endpoint") or next(iter(status.get("Endpoints", {}).values()), "")
    return f"https://{host}" if host else ""
