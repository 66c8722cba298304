"""The page with the OpenSearch role that `python -m deploy.policy page-role` prints: it answers, and cannot write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.policy import search_role
from rag.errors import StoreRefused
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files
from rag.settings import Settings
from rag.stores.opensearch.catalog import OpenSearchCatalog
from rag.stores.opensearch.client import Connection, connect
from tests.opensearch import Server, drop, index_name
from tests.small_faq import write_faq

API = "/_plugins/_security/api"
PASSWORD = "Vk7-four-Blue-otters-Swim"


@pytest.fixture
def page_user(opensearch: Server) -> Iterator[Connection]:
    if opensearch.node is None:
        pytest.fail("this test makes a user, which only our own node lets it")
    admin = opensearch.connect_as_admin()
    admin.request("PUT", f"{API}/roles/page", search_role("page-role"))
    admin.request("PUT", f"{API}/internalusers/page", {"password": PASSWORD})
    admin.request("PUT", f"{API}/rolesmapping/page", {"users": ["page"]})
    connection = connect(opensearch.url, auth=("page", PASSWORD), ca_certs=opensearch.ca_certs)
    yield connection
    connection.close()
    for kind in ("rolesmapping", "internalusers", "roles"):
        with suppress(StoreRefused):
            admin.request("DELETE", f"{API}/{kind}/page")
    admin.close()


@pytest.fixture
def name(opensearch: Server, tmp_path: Path, cached_models: Models) -> Iterator[str]:
    chosen = index_name()
    connection = opensearch.connect()
    ingest_files(OpenSearchCatalog(connection), chosen, cached_models, [write_faq(tmp_path / "faq.csv")])
    yield chosen
    drop(connection, chosen)
    connection.close()


def test_the_page_answers_with_a_user_that_can_only_search(
    page_user: Connection, name: str, cached_models: Models
) -> None:
    store = OpenSearchCatalog(page_user).open(name, cached_models.manifest)
    chat = build_service(Settings(), cached_models, store)
    assert chat.ask("OTP를 분실하였을 경우 어떻게 해야 하나요?").sources[0].id == "g-002"
    assert chat.facets()["bank"]
    alias = f"fsi-{name}"
    (index,) = page_user.request("GET", f"/{alias}/_mapping")
    refused: list[Callable[[], object]] = [
        lambda: page_user.request("PUT", f"/{index}/_doc/new", {"text": "x"}),
        lambda: page_user.request("DELETE", f"/{index}"),
        lambda: page_user.request(
            "POST", "/_bulk", b'{"delete":{"_index":"%s","_id":"x"}}\n' % index.encode(), ndjson=True
        ),
        lambda: page_user.request("PUT", f"/fsi-other-{name}"),
        lambda: page_user.request("POST", "/_aliases", {"actions": [{"remove": {"index": index, "alias": alias}}]}),
        lambda: page_user.request("GET", f"{API}/internalusers"),
        lambda: page_user.request("GET", "/.opendistro_security/_search"),
        lambda: page_user.request("POST", f"/{index}/_delete_by_query", {"query": {"match_all": {}}}),
    ]
    for attempt in refused:
        with pytest.raises(StoreRefused):
            attempt()
    assert chat.ask("OTP를 분실하였을 경우 어떻게 해야 하나요?").sources[0].id == "g-002"


def test_a_role_with_document_level_security_is_refused(
    opensearch: Server, page_user: Connection, name: str, cached_models: Models
) -> None:
    """It raises every score by one, so that all rows would have the highest score."""
    role = search_role("page-role")
    limited = {**role["index_permissions"][0], "dls": '{"match_all": {}}'}
    admin = opensearch.connect_as_admin()
    admin.request("PUT", f"{API}/roles/page", {**role, "index_permissions": [limited]})
    admin.close()
    chat = build_service(Settings(), cached_models, OpenSearchCatalog(page_user).open(name, cached_models.manifest))
    with pytest.raises(StoreRefused, match="document-level security"):
        chat.ask("OTP를 분실하였을 경우 어떻게 해야 하나요?")
