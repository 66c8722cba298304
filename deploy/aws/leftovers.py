"""Finds owned resources that the stack file does not name, by listing all candidates, so that none is billed unnoticed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from botocore import xform_name

from deploy import names
from deploy.aws.access import LogGroup, Role
from deploy.aws.assembly import bucket_name
from deploy.aws.endpoints import DIGEST, Config, Endpoint, Model, SageMakerResource
from deploy.aws.errors import translate_errors
from deploy.aws.reconcile import Resource, State
from deploy.aws.scaling import Scaling
from deploy.aws.schedule import OffHours
from deploy.aws.search import Domain, Password
from deploy.aws.search_users import PURPOSES
from deploy.aws.session import AwsSession
from deploy.aws.storage import Bucket, existing_uploads


def leftovers(aws: AwsSession, desired: Sequence[Sequence[Resource]]) -> list[list[Resource]]:
    """Existing resources of this stack that are not in `desired`, in stages as of `assembly.stages`. Raises DeployError."""
    desired_names = {(resource.kind, resource.name) for stage in desired for resource in stage}
    with translate_errors("listing resources", aws.region):
        return [
            [each for each in stage if (each.kind, each.name) not in desired_names and _is_owned(each)]
            for stage in _candidates(aws, [name for kind, name in desired_names if kind == Endpoint.kind])
        ]


def merge_stages(stages: Sequence[Sequence[Resource]], more: Sequence[Sequence[Resource]]) -> list[list[Resource]]:
    """Concatenate two lists of stages stage by stage."""
    return [[*first, *second] for first, second in zip(stages, more, strict=True)]


def _is_owned(resource: Resource) -> bool:
    return resource.describe().state not in (State.ABSENT, State.NOT_OURS)


def _candidates(aws: AwsSession, endpoint_names: Iterable[str]) -> list[list[Resource]]:
    """All resources that a stack of this name may have, in stages; they need not exist."""
    models, configs = ([name for name in _tagged(aws, kind) if DIGEST.search(name)] for kind in (Model, Config))
    deleted = (DIGEST.sub("", name) for name in (*models, *configs))  # endpoints that may have been deleted already
    endpoints = sorted({*endpoint_names, *_tagged(aws, Endpoint), *deleted})
    domains = [row["DomainName"] for row in aws.client("opensearch").list_domain_names()["DomainNames"]]
    return [
        [
            *(Role(aws, names.role(aws.stack_name, of), "", {}) for of in ("endpoints", "scheduler")),
            Bucket(aws, bucket_name(aws)),
            *(LogGroup(aws, names.log_group(name)) for name in endpoints),
            *(Password(aws, names.secret(aws.stack_name, of)) for of in ("opensearch", *PURPOSES)),
        ],
        list(existing_uploads(aws, bucket_name(aws))),
        [Model(aws, name) for name in models],
        [Config(aws, name) for name in configs],
        [*(Endpoint(aws, name) for name in endpoints), *(Domain(aws, name) for name in domains)],
        [Scaling(aws, name) for name in endpoints],
        [OffHours(aws, names.schedule_group(aws.stack_name))],
    ]


def _tagged(aws: AwsSession, kind: type[SageMakerResource]) -> Iterator[str]:
    """Names of the resources of this kind that have the stack's tag."""
    sagemaker = aws.client("sagemaker")
    for page in sagemaker.get_paginator(xform_name(f"List{kind.api_name}s")).paginate():
        for row in page[f"{kind.api_name}s"]:
            if aws.has_stack_tag(sagemaker.list_tags(ResourceArn=row[f"{kind.api_name}Arn"])["Tags"]):
                yield row[f"{kind.api_name}Name"]
