"""The complete life of a stack on moto and the emulator, through boto3 over HTTP."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from deploy import search_probe
from deploy import stack as stacks
from deploy.aws import search_users
from deploy.aws.commands import Deployment
from deploy.aws.search import generate_password
from deploy.stack import Stack
from rag.errors import DeployError
from tests.deploy.aws.account import REGION, Account, remaining
from tests.deploy.aws.conftest import FULL, ROOT, written
from tests.opensearch import Server

STACKS = [ROOT / "deploy" / "stack.toml", *sorted((ROOT / "deploy" / "stacks").glob("*.toml"))]


def test_up_status_plan_env_down_twice_each(account: Account, full: Stack) -> None:
    account.deployment(full).plan()
    assert not [call for call in account.calls if call.changes]
    assert "+ create    endpoint full-llm" in account.text
    account.deployment(full).up()
    assert "ready: endpoint full-embedding" in account.text
    assert "full-embedding: dimension 768" in account.text
    assert "full-llm: first text after" in account.text

    account.forget()
    account.deployment(full).up()
    assert not [call for call in account.calls if call.changes]
    assert account.text.count("unchanged: ") == 19

    account.forget()
    account.deployment(full).status()
    assert "ready       endpoint full-llm, created by user/moto" in account.text
    assert f"https://{REGION}.console.aws.amazon.com/sagemaker/home?region={REGION}#/endpoints/full-llm" in account.text
    assert re.search(r"USD an hour while it runs; so far \d+\.\d\d USD", account.text)
    account.deployment(full).plan()
    assert "+ create" not in account.text and account.text.count("= keep") == 19

    account.forget()
    account.deployment(full).down()
    assert remaining(account) == {}
    assert account.said[-1] == "nothing is left"
    account.forget()
    account.deployment(full).down()
    assert not [call for call in account.calls if call.changes]
    assert account.said == ["nothing is left"]


def test_it_is_tested_as_the_chatbot_asks(
    account: Account, tmp_path: Path, opensearch: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto's domains have no server, so the tests' server is used."""
    assert opensearch.node, "the users are made by its administrator"
    stack = written(tmp_path, FULL.replace("BM-K/KoSimCSE-roberta", "nlpai-lab/KURE-v1").replace("kosimcse", ""))
    with pytest.raises(DeployError, match="run `python -m deploy up`"):
        account.deployment(stack).test()
    admin = search_probe.Server(opensearch.url, "admin", opensearch.node.admin_password, opensearch.ca_certs)

    def deployment() -> Deployment:
        made = account.deployment(stack)
        made.create_users = search_users.create_search_users
        asked = made._server
        monkeypatch.setattr(
            made,
            "_server",
            lambda of: (
                admin
                if of == "master"
                else dataclasses.replace(asked(of), url=opensearch.url, ca_certs=opensearch.ca_certs)
            ),
        )
        return made

    deployment().up()
    assert "created: search user faq-ingest\ncreated: search user faq-page" in account.text
    account.forget()
    deployment().up()
    assert "unchanged: search user faq-ingest\nunchanged: search user faq-page" in account.text
    account.client("secretsmanager").delete_secret(SecretId="fsi/full/page", ForceDeleteWithoutRecovery=True)
    account.forget()
    deployment().up()
    assert "unchanged: search user faq-ingest\ncreated: search user faq-page" in account.text, (
        "its password is another one"
    )
    passwords = {account.client("secretsmanager").get_secret_value(SecretId=f"fsi/full/{of}")["SecretString"]
                 for of in ("opensearch", "ingest", "page")}  # fmt: skip
    assert len(passwords) == 3
    account.forget()
    deployment().test()
    assert "full-embedding: dimension 768" in account.text
    assert "full-llm: first text after" in account.text
    assert account.said[-2].endswith("written, found by text and by vector, deleted")
    assert account.said[-1] == "search user faq-page: can search, cannot write"
    assert not [call for call in account.calls if call.changes]
    admin.request("PUT", f"{search_users.API}/rolesmapping/faq-page", {"users": ["faq-page", "faq-ingest"]})
    everything = {
        "cluster_permissions": ["*"],
        "index_permissions": [{"index_patterns": ["*"], "allowed_actions": ["*"]}],
    }
    admin.request("PUT", f"{search_users.API}/roles/faq-page", everything)
    with pytest.raises(DeployError, match="the page's user faq-page can write; run `up` again"):
        deployment().test()
    deployment().up()
    deployment().test()
    for kind in ("rolesmapping", "internalusers", "roles"):
        for purpose in ("page", "ingest"):
            admin.request("DELETE", f"{search_users.API}/{kind}/faq-{purpose}")
    for each in admin.request("GET", "/_cat/indices/fsi-probe-*?format=json"):
        admin.request("DELETE", f"/{each['index']}")  # type: ignore[index]


def test_users_of_a_server_that_lets_in_the_page_alone_are_made_later(account: Account, full: Stack) -> None:
    def make(server: search_probe.Server, users: Iterable[search_users.SearchUser]) -> Iterator[str]:
        if list(users):
            raise search_probe.Unreachable("the search server cannot be reached")
        yield from ()

    deployment = account.deployment(full)
    deployment.create_users = make
    deployment.up()
    assert (
        "the search users were not created: the search server cannot be reached; run `python -m deploy up` again"
        in account.text
    )
    assert account.said[-1].startswith("up: ")


def test_the_page_and_the_ingester_have_users_of_their_own(account: Account, full: Stack) -> None:
    account.deployment(full).up()
    lines = {}
    for page in (False, True):
        account.forget()
        account.deployment(full).env(page=page)
        lines[page] = account.text
    assert "FSI_OPENSEARCH__USER=faq-ingest" in lines[False] and "deploy.secret fsi/full/ingest " in lines[False]
    assert "FSI_OPENSEARCH__USER=faq-page" in lines[True] and "deploy.secret fsi/full/page " in lines[True]
    assert "fsi/full/opensearch" not in lines[False] + lines[True], "the master user makes users, and does nothing else"


def test_a_model_that_is_not_the_one_named_fails_its_test(account: Account, full: Stack) -> None:
    account.deployment(full).up()
    with pytest.raises(DeployError, match="similarities differ from KoSimCSE's by more than 1"):
        account.deployment(full).test()


def test_env_holds_the_settings_and_no_password(account: Account, full: Stack) -> None:
    with pytest.raises(
        DeployError, match="endpoint full-embedding is absent; the schedule deletes it outside its hours; run"
    ):
        account.deployment(full).env()
    account.deployment(full).up()
    account.forget()
    account.deployment(full).env()
    words = [shlex.split(line) for line in account.said]
    settings = dict(word[1].split("=", 1) for word in words if word[0] == "export")
    assert settings.pop("FSI_OPENSEARCH__PASSWORD").startswith("$(")
    assert settings == {
        "AWS_DEFAULT_REGION": REGION,
        "FSI_EMBEDDING__BACKEND": "sagemaker",
        "FSI_EMBEDDING__ENDPOINT_NAME": "full-embedding",
        "FSI_EMBEDDING__FORMAT": "embeddings",
        "FSI_LLM__BACKEND": "sagemaker",
        "FSI_LLM__ENDPOINT_NAME": "full-llm",
        "FSI_LLM__FORMAT": "openai",
        "FSI_LLM__CONTEXT_WINDOW": "8192",
        "FSI_STORE__BACKEND": "opensearch",
        "FSI_OPENSEARCH__URL": "https://full.ap-northeast-2.es.amazonaws.com",
        "FSI_OPENSEARCH__ENGINE": "lucene",
        "FSI_OPENSEARCH__REGION": REGION,
        "FSI_OPENSEARCH__AUTH": "basic",
        "FSI_OPENSEARCH__USER": "faq-ingest",
    }
    password = account.client("secretsmanager").get_secret_value(SecretId="fsi/full/ingest")["SecretString"]
    script = "\n".join([*account.said, 'test "$FSI_OPENSEARCH__PASSWORD" = "$EXPECTED"'])
    subprocess.run(["bash", "-euc", script], cwd=ROOT, env=_environment(EXPECTED=password), check=True, timeout=240)


def _environment(**more: str) -> dict[str, str]:
    import os

    return {**os.environ, **more}


def test_another_stack_file_changes_only_what_differs(account: Account, full: Stack, tmp_path: Path) -> None:
    account.deployment(full).up()
    changed = written(
        tmp_path,
        FULL.replace("ml.g5.2xlarge", "ml.g6.2xlarge").replace("[opensearch]", "[opensearch]\nstorage_gb = 20"),
    )
    account.forget()
    account.deployment(changed).plan()
    assert "~ change    endpoint full-llm" in account.text and "- delete    model" not in account.text
    account.deployment(changed).up()
    operations = [call.operation for call in account.calls if call.changes]
    assert operations.count("UpdateEndpoint") == 1 and operations.count("UpdateDomainConfig") == 1
    assert "CreateModel" not in operations and "CreateEndpoint" not in operations
    assert operations.count("DeleteEndpointConfig") == 1, "the configuration that is not used any more"
    configs = account.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert len(configs) == 2
    account.deployment(changed).down()
    assert remaining(account) == {}


def test_what_left_the_stack_file_is_removed_by_up(account: Account, full: Stack, tmp_path: Path) -> None:
    account.deployment(full).up()
    smaller = FULL[: FULL.index("[opensearch]")].replace('handler = "kosimcse"', "").replace("full-llm", "other-llm")
    account.deployment(written(tmp_path, smaller)).up()
    found = remaining(account)
    assert set(found) == {"models", "configs", "endpoints", "roles", "logs"}
    assert {each["EndpointName"] for each in found["endpoints"]} == {"full-embedding", "other-llm"}
    assert len(found["models"]) == len(found["configs"]) == len(found["logs"]) == 2


def test_down_finds_what_an_earlier_stack_file_named(account: Account, full: Stack, tmp_path: Path) -> None:
    account.deployment(full).up()
    account.deployment(written(tmp_path, 'name = "full"\n[opensearch]\ndomain_name = "another"\naccess = "role"\n'
                               'role_arn = "arn:aws:iam::123456789012:role/app"')).down()  # fmt: skip
    assert remaining(account) == {}


def test_two_stacks_do_not_touch_each_other(account: Account, full: Stack, tmp_path: Path) -> None:
    account.deployment(full).up()
    other = written(tmp_path, FULL.replace('"full', '"other'))
    account.deployment(other).up()
    account.deployment(full).down()
    assert {each["EndpointName"] for each in remaining(account)["endpoints"]} == {"other-embedding", "other-llm"}
    account.deployment(other).down()
    assert remaining(account) == {}


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.stem)
def test_the_bundled_stacks(account: Account, path: Path) -> None:
    stack = stacks.load(path)
    account.deployment(stack).plan()
    assert all(f"licence: {each.licence}" in account.text for _, each in stack.endpoints())
    assert "USD/month" in account.text
    emulated = stack.model_copy(update={"embedding": _hashed(stack)})
    account.deployment(emulated).up()
    account.deployment(emulated).down()
    assert remaining(account) == {}


def _hashed(stack: Stack) -> object:
    assert stack.embedding
    quick = {
        **stack.embedding.environment,
        "FSI_EMULATOR": f'{{"model": "hashed", "dimension": {stack.embedding.dimension}}}',
    }
    return stack.embedding.model_copy(update={"environment": quick})


def test_no_secret_is_printed_sent_or_stored(account: Account, full: Stack, tmp_path: Path) -> None:
    account.deployment(full).up()
    password = account.client("secretsmanager").get_secret_value(SecretId="fsi/full/opensearch")["SecretString"]
    for command in ("plan", "status", "env", "up"):
        getattr(account.deployment(full), command)()
    shown = {call.operation for call in account.calls if password in repr(call.given)}
    assert shown == {"CreateSecret", "CreateDomain"}
    tags = [call.given.get(name) for call in account.calls for name in ("Tags", "TagList", "tags", "Tagging")]
    assert password not in repr(tags) and password not in account.text
    assert all(password not in path.read_text(errors="ignore") for path in tmp_path.rglob("*") if path.is_file())


def test_passwords_are_as_opensearch_wants_them() -> None:
    made = {generate_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert len(password) == 32
        assert all(any(test(letter) for letter in password) for test in (str.islower, str.isupper, str.isdigit))
        assert any(not letter.isalnum() for letter in password)


def test_a_lost_password_is_made_again_and_given_to_the_domain(account: Account, full: Stack) -> None:
    account.deployment(full).up()
    account.client("secretsmanager").delete_secret(SecretId="fsi/full/opensearch", ForceDeleteWithoutRecovery=True)
    account.forget()
    account.deployment(full).up()
    changed = {call.operation: call.given for call in account.calls if call.changes}
    assert set(changed) == {"CreateSecret", "UpdateDomainConfig", "AddTags"}
    given = changed["UpdateDomainConfig"]["AdvancedSecurityOptions"]["MasterUserOptions"]["MasterUserPassword"]
    assert given == changed["CreateSecret"]["SecretString"]


def test_the_budget_is_enforced_unless_overridden(account: Account, tmp_path: Path) -> None:
    stack = written(tmp_path, FULL + "[budget]\nmonthly_usd = 100")
    with pytest.raises(DeployError, match=r"is more than the budget of 100; .*`up --yes-over-budget` continues"):
        account.deployment(stack).up()
    assert not [call for call in account.calls if call.changes]
    account.deployment(stack).up(yes_over_budget=True)
    account.deployment(stack).down()


def test_through_the_command_line(account: Account, tmp_path: Path) -> None:
    """In a separate process, as users run it."""
    (tmp_path / "stack.toml").write_text(FULL, encoding="utf-8")

    def deploy(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deploy", *arguments, "--stack", str(tmp_path / "stack.toml")],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    assert deploy("env", code=1).startswith("error: endpoint full-embedding is absent")
    assert "ready: domain full" in deploy("up")
    assert "FSI_LLM__ENDPOINT_NAME=full-llm" in deploy("env")
    assert deploy("down").endswith("nothing is left\n")
    assert remaining(account) == {}


def test_what_was_an_endpoints_is_found_without_it(account: Account, full: Stack) -> None:
    """The endpoint was deleted for the night, and then renamed in the stack file."""
    account.deployment(full).up(yes_over_budget=True)
    for found in account.client("sagemaker").list_endpoints()["Endpoints"]:
        account.client("sagemaker").delete_endpoint(EndpointName=found["EndpointName"])
    assert full.embedding
    other = full.model_copy(update={"embedding": full.embedding.model_copy(update={"endpoint_name": "other"})})
    account.deployment(other).down()
    assert remaining(account) == {}
