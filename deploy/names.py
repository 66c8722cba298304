"""Names of a stack's AWS resources, by which they are found again; the policies in deploy/policies contain them too. Pure."""

from __future__ import annotations


def bucket(stack: str, account: str, region: str) -> str:
    """The stack's bucket. Bucket names are global, so it contains account and region."""
    return f"fsi-{stack}-{account}-{region}"


def role(stack: str, service: str) -> str:
    """The IAM role of a service: "endpoints" or "scheduler"."""
    return f"fsi-{stack}-{service}"


def secret(stack: str, user: str) -> str:
    """The secret with the password of a search user: "opensearch" (the master user), "ingest" or "page"."""
    return f"fsi/{stack}/{user}"


def schedule_group(stack: str) -> str:
    """The group of the schedules that delete and create the endpoints."""
    return f"fsi-{stack}"


def log_group(endpoint: str) -> str:
    """The log group that SageMaker writes an endpoint's log into."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def version_prefix(endpoint: str) -> str:
    """How the names of an endpoint's models and configurations begin; with a dash and 8 hex digits at most 63 characters."""
    return endpoint[:54].rstrip("-")
