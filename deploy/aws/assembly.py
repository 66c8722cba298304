"""A stack file as stages of resources: each stage needs those before it; within a stage all are made at once."""

from __future__ import annotations

from deploy.aws.access import LogGroup, Role
from deploy.aws.cloud import Cloud
from deploy.aws.endpoints import EndpointResource, config, model
from deploy.aws.reconcile import Resource
from deploy.aws.scaling import Scaling
from deploy.aws.schedule import OffHours
from deploy.aws.search import Domain, Password
from deploy.aws.search_users import search_users
from deploy.aws.storage import Bucket, upload
from deploy.policy import bucket, policy, values
from deploy.stack import Endpoint, Stack
from rag.errors import SettingsError

LOGS = "/aws/sagemaker/Endpoints/"


def check(stack: Stack) -> None:
    """Raises SettingsError where the stack file does not say enough for AWS."""
    for group, endpoint in stack.endpoints():
        needed = ("model", "instance_type") if endpoint.image else ("model", "container", "instance_type")
        if missing := [f"{group}.{name}" for name in needed if getattr(endpoint, name) is None]:
            raise SettingsError(f"for AWS the stack file must also say {', '.join(missing)}")
        if endpoint.handler and endpoint.container != "huggingface":
            raise SettingsError(f'{group}.handler needs container = "huggingface"')
    if not stack.endpoints() and not stack.opensearch:
        raise SettingsError("the stack file names neither an endpoint nor a domain: there is nothing to do")


def stages(cloud: Cloud, stack: Stack) -> list[list[Resource]]:
    """All that the stack file names, in order. Raises SettingsError where it does not say enough."""
    check(stack)
    sent = {each.endpoint_name: upload(cloud, bucket_name(cloud), each) for _, each in stack.endpoints()}
    uploads = [each for each in sent.values() if each]
    role = stack.execution_role or f"arn:aws:iam::{cloud.account}:role/fsi-{cloud.stack_name}-endpoints"
    models = {
        each.endpoint_name: model(cloud, stack, each, role, files.name if (files := sent[each.endpoint_name]) else None)
        for _, each in stack.endpoints()
    }
    configs = {
        each.endpoint_name: config(cloud, stack, each, models[each.endpoint_name].name) for _, each in stack.endpoints()
    }
    endpoints = [_endpoint(cloud, each, configs[each.endpoint_name].name) for _, each in stack.endpoints()]
    domain, password = search(cloud, stack)
    return [
        [
            *_roles(cloud, stack, bool(uploads)),
            *([Bucket(cloud, bucket_name(cloud), stack.kms_key)] if uploads else []),
            *(LogGroup(cloud, LOGS + each.name) for each in endpoints),
            *([password] if password else []),
            *(each.password for each in search_users(cloud, stack).values()),
        ],
        list(uploads),
        list(models.values()),
        list(configs.values()),
        [*endpoints, *([domain] if domain else [])],
        [Scaling(cloud, each.name, stack.autoscaling) for each in endpoints if stack.autoscaling],
        [_off_hours(cloud, stack, {name: each.name for name, each in configs.items()})] if stack.schedule else [],
    ]


def search(cloud: Cloud, stack: Stack) -> tuple[Domain | None, Password | None]:
    """The domain and, where it has users of its own, the master user's password."""
    if not stack.opensearch:
        return None, None
    named = stack.opensearch.access != "role"
    password = Password(cloud, f"fsi/{cloud.stack_name}/opensearch", stack.kms_key) if named else None
    return Domain(cloud, stack.opensearch.domain_name, stack, password), password


def bucket_name(cloud: Cloud) -> str:
    """The stack's bucket in this account and region."""
    return bucket(cloud.stack_name, cloud.account, cloud.region)


def scheduler_role(cloud: Cloud) -> str:
    """The name of the role that EventBridge Scheduler takes on."""
    return f"fsi-{cloud.stack_name}-scheduler"


def _roles(cloud: Cloud, stack: Stack, with_bucket: bool) -> list[Resource]:
    roles: list[Resource] = []
    variables = values(stack, cloud.region, cloud.account, with_bucket=with_bucket)
    if not stack.execution_role and stack.endpoints():
        roles.append(
            Role(cloud, f"fsi-{cloud.stack_name}-endpoints", "sagemaker.amazonaws.com", policy("endpoints", variables))
        )
    if stack.schedule:
        roles.append(Role(cloud, scheduler_role(cloud), "scheduler.amazonaws.com", policy("scheduler", variables)))
    return roles


def _endpoint(cloud: Cloud, endpoint: Endpoint, config_name: str) -> EndpointResource:
    # Provisioning takes minutes before the container's own time begins to count.
    return EndpointResource(cloud, endpoint.endpoint_name, config_name, endpoint.health_check_seconds + 1800.0)


def _off_hours(cloud: Cloud, stack: Stack, configs: dict[str, str]) -> OffHours:
    role = f"arn:aws:iam::{cloud.account}:role/{scheduler_role(cloud)}"
    return OffHours(cloud, f"fsi-{cloud.stack_name}", stack.schedule, configs, role=role, autoscaling=stack.autoscaling)
