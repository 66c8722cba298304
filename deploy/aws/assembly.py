"""Builds the resources of a stack file in stages: a stage depends on earlier ones, and its resources are created together."""

from __future__ import annotations

from deploy import names
from deploy.aws.access import LogGroup, Role
from deploy.aws.endpoints import Config, Endpoint, Model, config, model
from deploy.aws.reconcile import Resource
from deploy.aws.scaling import Scaling
from deploy.aws.schedule import OffHours
from deploy.aws.search import Domain, Password
from deploy.aws.search_users import search_users
from deploy.aws.session import AwsSession
from deploy.aws.storage import Bucket, Upload, upload
from deploy.policy import policy, variables
from deploy.stack import Stack
from rag.errors import SettingsError

PROVISION_SECONDS = 1800.0
"""Time to provision instances, before the container's health check time starts."""


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
    role = stack.execution_role or aws.role_arn(names.role(aws.stack_name, "endpoints"))
    uploads: list[Upload] = []
    models: list[Model] = []
    configs: list[Config] = []
    endpoints: list[Endpoint] = []
    for _, each in stack.endpoints():
        files = upload(aws, bucket_name(aws), each)
        uploads += [files] if files else []
        models.append(model(aws, stack, each, role, files.name if files else None))
        configs.append(config(aws, stack, each, models[-1].name))
        endpoints.append(
            Endpoint(aws, each.endpoint_name, configs[-1].name, each.health_check_seconds + PROVISION_SECONDS)
        )
    domain, password = search(aws, stack)
    return [
        [
            *_roles(aws, stack, bool(uploads)),
            *([Bucket(aws, bucket_name(aws), stack.kms_key)] if uploads else []),
            *(LogGroup(aws, names.log_group(each.name)) for each in endpoints),
            *([password] if password else []),
            *(each.password for each in search_users(aws, stack).values()),
        ],
        list(uploads),
        list(models),
        list(configs),
        [*endpoints, *([domain] if domain else [])],
        [Scaling(aws, each.name, stack.autoscaling) for each in endpoints if stack.autoscaling],
        [_off_hours(aws, stack, {each.name: each.config for each in endpoints})] if stack.schedule else [],
    ]


def search(aws: AwsSession, stack: Stack) -> tuple[Domain | None, Password | None]:
    """The domain and, with basic authentication, the master user's password; None for what the stack does not have."""
    if not stack.opensearch:
        return None, None
    has_users = stack.opensearch.access != "role"
    password = Password(aws, names.secret(aws.stack_name, "opensearch"), stack.kms_key) if has_users else None
    return Domain(aws, stack.opensearch.domain_name, stack, password), password


def bucket_name(aws: AwsSession) -> str:
    """Name of the stack's bucket in this account and region."""
    return names.bucket(aws.stack_name, aws.account, aws.region)


def _roles(aws: AwsSession, stack: Stack, with_bucket: bool) -> list[Resource]:
    values = variables(stack, aws.region, aws.account, with_bucket=with_bucket)
    services = {
        "endpoints": ("sagemaker.amazonaws.com", bool(stack.endpoints()) and not stack.execution_role),
        "scheduler": ("scheduler.amazonaws.com", bool(stack.schedule)),
    }
    return [
        Role(aws, names.role(aws.stack_name, name), principal, policy(name, values))
        for name, (principal, is_needed) in services.items()
        if is_needed
    ]


def _off_hours(aws: AwsSession, stack: Stack, configs: dict[str, str]) -> OffHours:
    return OffHours(
        aws,
        names.schedule_group(aws.stack_name),
        stack.schedule,
        configs,
        role=aws.role_arn(names.role(aws.stack_name, "scheduler")),
        autoscaling=stack.autoscaling,
    )
