"""Prints a policy of deploy/policies for one stack: `python -m deploy.policy NAME --account NUMBER [--stack FILE]`.

operator     permissions to run `python -m deploy`
app          permissions of the chat page: invoke the models and search, no writes
boundary     permissions boundary of the roles that the operator creates: the managed policy fsi-NAME-boundary
page-role    a role of OpenSearch's security plugin, not of IAM: searches on fsi-* only, for the page
ingest-role  a role of OpenSearch's security plugin, not of IAM: ingestion into fsi-*
endpoints    the execution role of SageMaker, if the stack file names none
scheduler    the role of EventBridge Scheduler, which deletes endpoints at night and creates them again
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from string import Template
from typing import Any

from deploy import names
from deploy import stack as stacks
from deploy.stack import Stack
from rag.errors import RagError, SettingsError

POLICIES = Path(__file__).with_name("policies")
NAMES = ("operator", "app", "endpoints", "scheduler", "boundary")
SEARCH_ROLES = ("page-role", "ingest-role")


def policy(name: str, values: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A file of deploy/policies with its `${…}` variables substituted; a resource is repeated for each value.

    A statement without resources is left out: it is about resources that the stack does not have.
    """
    if name == "boundary":  # the permissions of both roles together
        both = [policy(role, values) for role in ("endpoints", "scheduler")]
        return {**both[0], "Statement": [{**each} for one in both for each in one["Statement"]]}
    document = _read(name)
    statements = []
    for statement in document["Statement"]:
        resources = [each for pattern in statement["Resource"] for each in substitute(pattern, values)]
        if resources:
            conditions = {}
            if "Condition" in statement:
                conditions["Condition"] = json.loads(substitute(json.dumps(statement["Condition"]), values)[0])
            statements.append({**statement, "Resource": resources, **conditions})
    return {**document, "Statement": statements}


def search_role(name: str) -> dict[str, Any]:
    """The body of `PUT /_plugins/_security/api/roles/NAME` in OpenSearch for one of SEARCH_ROLES."""
    return _read(name)


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((POLICIES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def substitute(text: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    """The text once for each combination of its variables' values. Raises KeyError for an unknown variable."""
    used = sorted(set(re.findall(r"\$\{(\w+)\}", text)))
    combinations = product(*(values[name] for name in used))
    return [Template(text).substitute(dict(zip(used, each, strict=True))) for each in combinations]


def variables(stack: Stack, region: str, account: str, *, with_bucket: bool) -> dict[str, Sequence[str]]:
    """Values of the `${…}` variables in the policies; empty for resources that the stack does not have."""
    sources = [each.model_data.removeprefix("s3://").rstrip("/") for _, each in stack.endpoints() if each.model_data]
    return {
        "region": (region,),
        "account": (account,),
        "stack": (stack.name,),
        "bucket": (names.bucket(stack.name, account, region),) if with_bucket else (),
        "model_data": [f"arn:aws:s3:::{source}" for source in sources],
        "model_bucket": [f"arn:aws:s3:::{source.partition('/')[0]}" for source in sources],
        "execution_role": (stack.execution_role,) if stack.execution_role else (),
        "kms_key": (stack.kms_key,) if stack.kms_key else (),
        "endpoint": [each.endpoint_name for _, each in stack.endpoints()],
        "version": [names.version_prefix(each.endpoint_name) for _, each in stack.endpoints()],
        "domain": (stack.opensearch.domain_name,) if stack.opensearch else (),
        "vpc": ("*",) if stack.network.subnets else (),
        "scaling": ("*",) if stack.autoscaling else (),
    }


def _policy_for(options: argparse.Namespace) -> dict[str, Any]:
    stack = stacks.load(options.stack)
    region = stack.region or options.region
    if not region:
        raise SettingsError("no AWS region; set --region, or `region` in the stack file")
    has_uploads = any(each.handler or each.model_folder for _, each in stack.endpoints())
    return policy(options.name, variables(stack, region, options.account, with_bucket=has_uploads))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one policy as JSON. Exit codes: 0 success, 1 failure with an error message, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.policy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=(*NAMES, *SEARCH_ROLES), metavar="NAME")
    parser.add_argument("--account", help="the account's number (not for roles in OpenSearch)")
    parser.add_argument("--region", help="AWS region, if the stack file names none")
    parser.add_argument("--stack", type=Path, default=stacks.DEFAULT, metavar="FILE")
    options = parser.parse_args(arguments)
    if options.name not in SEARCH_ROLES and not options.account:
        parser.error("the following arguments are required: --account")
    try:
        document = search_role(options.name) if options.name in SEARCH_ROLES else _policy_for(options)
    except RagError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
