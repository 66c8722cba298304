"""The page over an OpenSearch server behaves as over FAISS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files
from rag.settings import Settings
from rag.stores.opensearch.catalog import OpenSearchCatalog
from tests.browser.conftest import Serve, Visit
from tests.browser.test_sources import cite, expect_open
from tests.opensearch import Server, drop, index_name
from tests.small_faq import ANSWERS, write_faq

OTP = "OTP를 분실하였을 경우 어떻게 해야 하나요?"


def test_an_answer_with_its_source(
    opensearch: Server, models: Models, serve: Serve, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    connection, name = opensearch.connect(), index_name()
    place = OpenSearchCatalog(connection)
    with closing(connection):
        try:
            ingest_files(place, name, models, [write_faq(tmp_path / "faq.csv")])
            chat = build_service(Settings(), models, place.open(name, models.manifest))
            server, _ = serve(chat)
            visitor = visit(server.url).ready()
            visitor.answered(OTP)
            assert ANSWERS["g-002"].split("\n")[0] in visitor.bubbles("bot").last.inner_text()
            cite(visitor, 1, 1).click()
            expect_open(visitor, 1, 1)
            assert visitor.complaints == []
        finally:
            drop(connection, name)
