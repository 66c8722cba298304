"""Screenshots of checked answers: a replaced number, and a marked sentence. --update-pictures writes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.chat import ChatService
from rag.factory.models import Models
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.ui.texts import KOREAN
from tests.browser.conftest import Serve, Visit
from tests.browser.test_model_answers import CANCEL, notices
from tests.browser.test_screenshot import KILOBYTES, size_of
from tests.conftest import ROOT
from tests.fakes_llm import ScriptedLLM

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 900, "height": 480}
RIGHT = "공모주 청약은 마감일 오후 4시까지 취소하실 수 있어요. [1]"
RAISE = "나루증권에서 이체한도를 늘리려면 어떻게 해야 하나요?"
APP = "이체한도는 나루 앱의 설정에서 신청하실 수 있어요. [1]"


@pytest.mark.parametrize(
    ("name", "question", "said", "shown", "hidden", "labels"),
    [
        (
            *("checked-withheld", RAISE, f"{APP} 1일 한도는 최고 9억 원이에요. [1]", "최고 2억 원입니다.", "9억"),
            [KOREAN.checked, KOREAN.notices["withheld"]],
        ),
        (
            *("checked-marked", CANCEL),
            f"{RIGHT} 마감일에는 느긋하게 취소하실 수 있어요. [1]",
            *(KOREAN.weak, KOREAN.checked, [KOREAN.partly_checked]),
        ),
    ],
)
def test_picture_of_a_checked_answer(
    small_store: FaissStore,
    models: Models,
    serve: Serve,
    visit: Callable[..., Visit],
    pytestconfig: pytest.Config,
    name: str,
    question: str,
    said: str,
    shown: str,
    hidden: str,
    labels: list[str],
) -> None:
    chat = ChatService(
        small_store, models.embed_model, calibration=defaults(), llm=ScriptedLLM([said]), topics={"": [question]}
    )
    server, _ = serve(chat)
    visitor = visit(server.url, viewport=SIZE, color_scheme="light", reduced_motion="reduce").ready()
    visitor.answered(question)
    assert notices(visitor) == labels
    text = visitor.bubbles("bot").last.inner_text()
    assert shown in text and hidden not in text
    picture = IMAGES / f"{name}.png"
    if pytestconfig.getoption("--update-pictures"):
        visitor.page.screenshot(path=picture)
    assert size_of(picture) == (SIZE["width"], SIZE["height"])
    assert picture.stat().st_size < KILOBYTES * 1024
