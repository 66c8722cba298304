"""The password is written to a pipe only; the tests of the whole stack check that it arrives."""

from __future__ import annotations

import sys

import pytest

from deploy import secret
from tests.deploy.aws.account import REGION, Account


class Screen:
    said = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.said += text
        return len(text)


def test_never_printed_to_a_terminal(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account.client("secretsmanager").create_secret(Name="fsi/x", SecretString="s3cret")
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    assert secret.main(["fsi/x", "--region", REGION]) == 1
    assert screen.said == ""
    assert "expected a pipe" in capsys.readouterr().err


def test_a_missing_secret(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert secret.main(["fsi/none", "--region", REGION]) == 1
    found = capsys.readouterr()
    assert found.out == "" and "error: fsi/none: GetSecretValue was refused" in found.err
