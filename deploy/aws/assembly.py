"""Builds the resources of a stack file in stages: a stage depends on earlier ones, and its resources are created together."""

from __future__ import annotations

from deploy.aws.access import LogGroup, Role
from deploy.aws.endpoints import EndpointResource, config, model
from deploy.aws.reconcile import Resource
from deploy.aws.scaling import Scaling
from deploy.aws.schedule import OffHours
from deploy.aws.search import Domain, Password
from deploy.aws.search_users import search_users
from deploy.aws.session import AwsSession
from deploy.aws.storage import Bucket, upload
from deploy.policy import bucket, policy, values
from deploy.stack import Endpoint, Stack
from rag.errors import SettingsError

LOGS = "/aws/sagemaker/Endpoints/"


def check(stack: Stack) -> None:
    """Raise SettingsError if the stack file lacks a value that AWS needs."""
    for group, endpoint in stack.endpoints():
        needed = ("model", "instance_type") if endpoint.image else ("model", "container", "instance_type")
        if missing := [f"{group}.{name}" for name in needed if getattr(endpoint, name) is None]:
            raise SettingsError(f"missing for AWS: {', '.join(missing)}; set them in the stack file")
        if endpoint.handler and endpoint.container != "huggingface":
            raise SettingsError(f'{group}.handler needs container = "huggingface"')
    if not stack.endpoints() and not stack.opensearch:
        raise SettingsError("expected an endpoint or a domain in the stack file; got neither")


def stages(aws: AwsSession, stack: Stack) -> list[list[Resource]]:
    """All resources of the stack file, in order of creation. Raises SettingsError as `check`."""
    check(stack)
    sent = {each.endpoint_name: upload(aws, bucket_name(aws), each) for _, each in stack.endpoints()}
    uploads = [each for each in sent.values() if each]
    role = stack.execution_role or f"arn:aws:iam::{aws.account}:role/fsi-{aws.stack_name}-endpoints"
    models = {
        each.endpoint_name: model(aws, stack, each, role, files.name if (files := sent[each.endpoint_name]) else None)
        for _, each in stack.endpoints()
    }
    configs = {
        each.endpoint_name: config(aws, stack, each, models[each.endpoint_name].name) for _, each in stack.endpoints()
    }
    endpoints = [_endpoint(aws, each, configs[each.endpoint_name].name) for _, each in stack.endpoints()]
    domain, password = search(aws, stack)
    return [
        [
            *_roles(aws, stack, bool(uploads)),
            *([Bucket(aws, bucket_name(aws), stack.kms_key)] if uploads else []),
            *(LogGroup(aws, LOGS + each.name) for each in endpoints),
            *([password] if password else []),
            *(each.password for each in search_users(aws, stack).values()),
        ],
        list(uploads),
        list(models.values()),
        list(configs.values()),
        [*endpoints, *([domain] if domain else [])],
        [Scaling(aws, each.name, stack.autoscaling) for each in endpoints if stack.autoscaling],
        [_off_hours(aws, stack, {name: each.name for name, each in configs.items()})] if stack.schedule else [],
    ]


def search(aws: AwsSession, stack: Stack) -> tuple[Domain | None, Password | None]:
    """The domain and, with basic authentication, the master user's password; None for what the stack does not have."""
    if not stack.opensearch:
        return None, None
    named = stack.opensearch.access != "role"
    password = Password(aws, f"fsi/{aws.stack_name}/opensearch", stack.kms_key) if named else None
    return Domain(aws, stack.opensearch.domain_name, stack, password), password


def bucket_name(aws: AwsSession) -> str:
    """Name of the stack's bucket in this account and region."""
    return bucket(aws.stack_name, aws.account, aws.region)


def scheduler_role(aws: AwsSession) -> str:
    """Name of the role that EventBridge Scheduler assumes."""
    return f"fsi-{aws.stack_name}-scheduler"


def _roles(aws: AwsSession, stack: Stack, with_bucket: bool) -> list[Resource]:
    roles: list[Resource] = []
    variables = values(stack, aws.region, aws.account, with_bucket=with_bucket)
    if not stack.execution_role and stack.endpoints():
        roles.append(
            Role(aws, f"fsi-{aws.stack_name}-endpoints", "sagemaker.amazonaws.com", policy("endpoints", variables))
        )
    if stack.schedule:
        roles.append(Role(aws, scheduler_role(aws), "scheduler.amazonaws.com", policy("scheduler", variables)))
    return roles


def _endpoint(aws: AwsSession, endpoint: Endpoint, config_name: str) -> EndpointResource:
    # Provisioning takes minutes before the container's health check time starts.
    return EndpointResource(aws, endpoint.endpoint_name, config_name, endpoint.health_check_seconds + 1800.0)


def _off_hours(aws: AwsSession, stack: Stack, configs: dict[str, str]) -> OffHours:
    role = f"arn:aws:iam::{aws.account}:role/{scheduler_role(aws)}"
    return OffHours(aws, f"fsi-{aws.stack_name}", stack.schedule, configs, role=role, autoscaling=stack.autoscaling)
