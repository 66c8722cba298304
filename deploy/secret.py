"""`python -m deploy.secret NAME --region REGION`: a secret on standard output, for `export X="$(…)"` as `env` prints it.

Into a pipe only: never onto a screen, where it would stay in the scroll-back.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.aws.failures import translate_errors
from rag.errors import DeployError, RagError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one secret without a line end. Exit codes: 0 done, 1 one clear line says what failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m deploy.secret", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--region", required=True)
    options = parser.parse_args(arguments)
    try:
        if sys.stdout.isatty():
            raise DeployError("the secret is not shown on a screen; use it as $(python -m deploy.secret …)")
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
