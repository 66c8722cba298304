"""`python -m deploy.secret NAME --region REGION`: prints a secret, for `export X="$(…)"` as `env` prints it.

It prints into a pipe only, because a terminal would keep the secret in its history.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.aws.errors import translate_errors
from rag.errors import DeployError, RagError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one secret without a newline. Exit codes: 0 success, 1 failure with an error message, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m deploy.secret", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--region", required=True)
    options = parser.parse_args(arguments)
    try:
        if sys.stdout.isatty():
            raise DeployError("expected a pipe as standard output; got a terminal; use $(python -m deploy.secret …)")
        import boto3

        with translate_errors(options.name, options.region):
            client = boto3.session.Session(region_name=options.region).client("secretsmanager")
            sys.stdout.write(client.get_secret_value(SecretId=options.name)["SecretString"])
    except RagError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
