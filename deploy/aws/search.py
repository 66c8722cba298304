"""The OpenSearch domain and its master password, which is generated, lives in Secrets Manager alone and is never shown."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws.cloud import Cloud, as_mapping
from deploy.aws.failures import is_missing
from deploy.aws.reconcile import ABSENT, Resource, Seen, State
from deploy.sizing import size
from deploy.stack import OpenSearch, Stack

VERSION_TAG = "fsi-secret-version"
"""Which version of the password the domain was given; a version's id tells nothing of the password."""
TLS = "Policy-Min-TLS-1-2-PFS-2023-10"
_ALPHABETS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!@#%^*-_=+")


class Password(Resource):
    """The domain's master password."""

    kind = "secret"

    def __init__(self, cloud: Cloud, name: str, kms_key: str | None = None) -> None:
        super().__init__(cloud, name)
        self._key = {"KmsKeyId": kms_key} if kms_key else {}

    def look(self) -> Seen:
        try:
            found = self.cloud.client("secretsmanager").describe_secret(SecretId=self.name)
        except ClientError as exc:
            if is_missing(exc):
                return ABSENT
            raise
        state = State.BUSY if found.get("DeletedDate") else State.READY
        return self.seen(state, found.get("Tags", ()), since=found.get("CreatedDate"))

    def create(self) -> None:
        self.cloud.client("secretsmanager").create_secret(
            Name=self.name, SecretString=generated(), Tags=self.cloud.tag_list, **self._key
        )

    def delete(self) -> None:
        """At once: a secret in its weeks of recovery would keep its name from the next `up`."""
        self.cloud.client("secretsmanager").delete_secret(SecretId=self.name, ForceDeleteWithoutRecovery=True)

    def read(self) -> tuple[str, str]:
        """The password and its version."""
        found = self.cloud.client("secretsmanager").get_secret_value(SecretId=self.name)
        return found["SecretString"], found["VersionId"]

    def version(self) -> str:
        """Empty where there is none."""
        try:
            found = self.cloud.client("secretsmanager").describe_secret(SecretId=self.name)["VersionIdsToStages"]
        except ClientError as exc:
            if is_missing(exc):
                return ""
            raise
        return next((version for version, names in found.items() if "AWSCURRENT" in names), "")


def generated() -> str:
    """32 characters with one of each kind, as OpenSearch wants them; none that a shell or a URL would bend."""
    random = secrets.SystemRandom()
    drawn = [random.choice(alphabet) for alphabet in _ALPHABETS] + random.choices("".join(_ALPHABETS), k=28)
    random.shuffle(drawn)
    return "".join(drawn)


class Domain(Resource):
    """`wanted` None: only to be removed."""

    kind = "domain"
    wait_seconds = 5400.0

    def __init__(self, cloud: Cloud, name: str, stack: Stack | None = None, password: Password | None = None) -> None:
        super().__init__(cloud, name)
        self._stack = stack
        self._password = password

    def describe(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.cloud.client("opensearch").describe_domain(DomainName=self.name)[
                "DomainStatus"
            ]
        except ClientError as exc:
            if is_missing(exc):
                return None
            raise
        return found

    def look(self) -> Seen:
        found = self.describe()
        if not found:
            return ABSENT
        tags = self.cloud.client("opensearch").list_tags(ARN=found["ARN"])["TagList"]
        return self.seen(self._state(found, as_mapping(tags)), tags, str(found.get("DomainProcessingStatus", "")))

    def address(self) -> str:
        """Its URL; empty while there is none."""
        return _address(self.describe() or {})

    def create(self) -> None:
        given = self._definition(self._wanted())
        version = {VERSION_TAG: self._password.version()} if self._password else {}
        tags = [{"Key": key, "Value": value} for key, value in {**self.cloud.tags, **version}.items()]
        engine = f"OpenSearch_{self._wanted().version}"
        self.cloud.client("opensearch").create_domain(
            DomainName=self.name, EngineVersion=engine, **given, AdvancedSecurityOptions=self._users(), TagList=tags
        )

    def change(self) -> None:
        """Instances, storage, access and password; the master user and the version stay as they were made."""
        client = self.cloud.client("opensearch")
        users = {"AdvancedSecurityOptions": self._users()} if self._password else {}
        given = self._definition(self._wanted())
        fixed = ("EncryptionAtRestOptions", "NodeToNodeEncryptionOptions")
        client.update_domain_config(
            DomainName=self.name, **{name: value for name, value in given.items() if name not in fixed}, **users
        )
        if self._password and (found := self.describe()):
            version = {"Key": VERSION_TAG, "Value": self._password.version()}
            client.add_tags(ARN=found["ARN"], TagList=[version])

    def delete(self) -> None:
        self.cloud.client("opensearch").delete_domain(DomainName=self.name)

    def link(self) -> str:
        return self.cloud.console(f"aos/home?region={{region}}#opensearch/domains/{self.name}")

    def _wanted(self) -> OpenSearch:
        assert self._stack and self._stack.opensearch
        return self._stack.opensearch

    def _state(self, found: Mapping[str, Any], tags: Mapping[str, str]) -> State:
        """There are no waiters for domains: these fields tell."""
        if found.get("Deleted") or found.get("Processing") or not found.get("Created", True):
            return State.BUSY
        if found.get("DomainProcessingStatus", "Active") not in ("Active", "Isolated") or not _address(found):
            return State.BUSY
        if not (self._stack and self._stack.opensearch):
            return State.READY
        known = self._password is None or tags.get(VERSION_TAG) == self._password.version()
        return State.READY if known and self._same(found) else State.DIFFERENT

    def _same(self, found: Mapping[str, Any]) -> bool:
        wanted = self._definition(self._wanted())
        cluster, disks = found["ClusterConfig"], found["EBSOptions"]
        return (
            plain(json.loads(found.get("AccessPolicies") or "{}")) == plain(json.loads(wanted["AccessPolicies"]))
            and all(cluster.get(name) == wanted["ClusterConfig"][name] for name in ("InstanceType", "InstanceCount"))
            and disks.get("VolumeSize") == wanted["EBSOptions"]["VolumeSize"]
        )

    def _definition(self, wanted: OpenSearch) -> dict[str, Any]:
        assert self._stack
        sized, key = size(wanted), self._stack.kms_key
        cluster: dict[str, Any] = {
            "InstanceType": sized.instance_type,
            "InstanceCount": wanted.nodes,
            "DedicatedMasterEnabled": False,
            "ZoneAwarenessEnabled": wanted.nodes > 1,
        }
        if wanted.nodes > 1:
            cluster["ZoneAwarenessConfig"] = {"AvailabilityZoneCount": wanted.zones}
        definition: dict[str, Any] = {
            "ClusterConfig": cluster,
            "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": sized.storage_gb},
            "AccessPolicies": json.dumps(self._access(wanted)),
            "EncryptionAtRestOptions": {"Enabled": True} | ({"KmsKeyId": key} if key else {}),
            "NodeToNodeEncryptionOptions": {"Enabled": True},
            "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": TLS},
        }
        if wanted.access == "vpc":
            network = self._stack.network
            subnets = list(network.subnets[: wanted.zones])
            definition["VPCOptions"] = {"SubnetIds": subnets, "SecurityGroupIds": list(network.security_groups)}
        return definition

    def _access(self, wanted: OpenSearch) -> dict[str, Any]:
        """Who gets as far as the login."""
        arn = f"arn:aws:es:{self.cloud.region}:{self.cloud.account}:domain/{self.name}/*"
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "es:ESHttp*",
            "Resource": arn,
        }
        if wanted.access == "role":
            statement["Principal"] = {"AWS": wanted.role_arn}
        if wanted.access == "ip":
            statement["Condition"] = {"IpAddress": {"aws:SourceIp": list(wanted.addresses)}}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _users(self) -> dict[str, Any]:
        if self._password is None:
            return {"Enabled": True, "MasterUserOptions": {"MasterUserARN": self._wanted().role_arn}}
        master = {"MasterUserName": self._wanted().user, "MasterUserPassword": self._password.read()[0]}
        return {"Enabled": True, "InternalUserDatabaseEnabled": True, "MasterUserOptions": master}


def plain(policy: Any) -> Any:
    """A policy as AWS may write it back: a list of one is the same as its member, and order means nothing."""
    if isinstance(policy, dict):
        return {name: plain(each) for name, each in policy.items()}
    if isinstance(policy, list):
        return plain(policy[0]) if len(policy) == 1 else sorted((plain(each) for each in policy), key=repr)
    return policy


def _address(found: Mapping[str, Any]) -> str:
    host = found.get("Endpoint") or next(iter(found.get("Endpoints", {}).values()), "")
    return f"https://{host}" if host else ""
