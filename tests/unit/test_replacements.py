"""What stands in place of a sentence that says something else than its source: the source's own, once, and never alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.release import SentenceRelease
from rag.synthesis.statements import statements
from rag.synthesis.texts import ANSWERING
from rag.synthesis.verification import RuleVerifier
from rag.types import Answer

APPROVED = {
    1: "1일 이체한도는 최고 5억원입니다. 앱에서 한도를 신청하실 수 있습니다.\n※ 감액은 바로 적용됩니다.",
    2: "이체 수수료는 건당 500원입니다. 다만, 우대고객은 면제됩니다. 휴일에는 신청하실 수 없습니다.",
}
TITLES = {1: "가온은행\n이체한도는 얼마인가요?", 2: "가온은행\n이체 수수료는 얼마인가요?"}
RIGHT = "앱에서 한도를 신청하실 수 있어요. [1]"
LIMIT, LIE = "1일 이체한도는 최고 5억원입니다. [1]", "1일 이체한도는 6억원입니다. [1]"
FEE, FEE_LIE = "이체 수수료는 건당 500원입니다. 다만, 우대고객은 면제됩니다. [2]", "이체 수수료는 건당 900원입니다. [2]"
CLOSED, CLOSED_LIE = "휴일에는 신청하실 수 없습니다. [2]", "휴일에도 신청하실 수 있습니다. [2]"


def release(text: str, approved: dict[int, str] = APPROVED, cuts: list[int] | None = None) -> SentenceRelease:
    """The release after the whole text, character by character or cut at these offsets."""
    sources = {number: f"{TITLES[number]}\n{passage}" for number, passage in approved.items()}
    released = SentenceRelease(sources, RuleVerifier(), instruction=ANSWERING, approved=approved)
    bounds = range(len(text) + 1) if cuts is None else sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    shown = "".join(released.feed(text[start:end]) for start, end in pairwise(bounds) if not released.stopped)
    if not released.stopped:
        assert shown + released.end() == released.text
    return released


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"{RIGHT} {LIE} {CLOSED}", f"{RIGHT} {LIMIT} {CLOSED}"),
        (f"{LIE} {RIGHT}", f"{LIMIT} {RIGHT}"),
        (f"{LIE} {CLOSED_LIE} {RIGHT}", f"{LIMIT} {CLOSED} {RIGHT}"),
        (f"{RIGHT} {LIE}", f"{RIGHT} {LIMIT}"),
        (f"{RIGHT}\n- {LIE}\n- {CLOSED}", f"{RIGHT}\n- {LIMIT}\n- {CLOSED}"),
        (f"{RIGHT} {FEE_LIE}", f"{RIGHT} {FEE}"),
        (f"{RIGHT} {CLOSED_LIE}", f"{RIGHT} {CLOSED}"),
        (f"{RIGHT} 1일 이체한도는 6억원입니다. {CLOSED_LIE[:-4]} [1][2]", f"{RIGHT} {LIMIT} {CLOSED}"),
    ],
    ids=("middle", "first", "two first", "last", "in a list", "with its exception", "denied", "cited by the next"),
)
def test_the_sources_own_sentence_takes_its_place(said: str, shown: str) -> None:
    released = release(said)
    assert (released.text, released.notice, released.stopped) == (shown, "withheld", "")
    assert {1, 2} & set(released.cited)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"{RIGHT} {LIE} 1일 이체한도는 7억원입니다. [1]", f"{RIGHT} {LIMIT}"),
        (f"{LIMIT} {LIE}", LIMIT),
        (f"{LIE} {LIMIT}", LIMIT),
        (f"{RIGHT} {LIE} {LIMIT} {CLOSED}", f"{RIGHT} {LIMIT} {CLOSED}"),
        (f"{RIGHT} {LIE} {LIMIT} {LIMIT} {CLOSED}", f"{RIGHT} {LIMIT} {CLOSED}"),
    ],
    ids=("two lies", "said before", "said first after", "copied later", "copied twice later"),
)
def test_it_is_shown_once(said: str, shown: str) -> None:
    assert release(said).text == shown


@pytest.mark.parametrize(
    "said",
    [
        LIE,
        f"{LIE} {FEE_LIE}",
        f"감사합니다. {LIE} 감사합니다.",
        f"{LIE} 한도가 궁금하시군요.",
    ],
)
def test_it_is_no_answer_by_itself(said: str) -> None:
    released = release(said)
    assert (released.text, released.cited, released.notice) == ("", (), "withheld")
    assert not any(each.is_replacement for each in released.support)


@pytest.mark.parametrize(
    "lie",
    [
        "해외송금 전신료는 8,000원입니다. [1]",
        "이체 수수료는 건당 900원입니다. [1]",
        "신청하시면 상품권을 보내 드립니다. [1]",
        "1일 이체한도는 6억원입니다.",
    ],
    ids=("nothing near", "another source", "few words", "uncited"),
)
def test_where_nothing_is_near_it_is_left_out(lie: str) -> None:
    released = release(f"{RIGHT} {lie}")
    assert (released.text, released.notice) == (RIGHT, "withheld")


def test_an_answer_that_ends_before_its_end_shows_none() -> None:
    stopped = release(f"{LIE} {RIGHT} <b>굵게</b>")
    assert (stopped.stopped != "", stopped.text, stopped.cited) == (True, "", ())
    cut = SentenceRelease(APPROVED, RuleVerifier(), instruction=ANSWERING, approved=APPROVED)
    shown = cut.feed(f"{LIE} 앱에서 한도를 신청하실")
    assert (shown, cut.end(is_truncated=True), cut.text, cut.notice) == ("", "", "", "interrupted")


@given(st.lists(st.integers(0, 200), max_size=12))
def test_it_is_the_same_wherever_the_text_is_cut(cuts: list[int]) -> None:
    said = f"{LIE} {RIGHT} {FEE_LIE}\n{CLOSED_LIE} {LIMIT} 감사합니다."
    released, whole = release(said, cuts=cuts), release(said)
    assert (released.text, released.cited, released.support) == (whole.text, whole.cited, whole.support)
    assert not any(wrong in released.text for wrong in ("6억", "900원"))


def test_each_has_its_record_and_its_place() -> None:
    released = release(f"{LIE} {RIGHT} {CLOSED_LIE}")
    found = [(each.text, each.status, each.is_replacement) for each in released.support]
    assert found == [
        (LIE, "withheld", False),
        (LIMIT, "supported", True),
        (RIGHT, "supported", False),
        (CLOSED_LIE, "withheld", False),
        (CLOSED, "supported", True),
    ]
    spans = Answer("질문", released.text, "answered", support=tuple(released.support)).sentence_spans()
    assert [span and released.text[slice(*span)] for span in spans] == [None, LIMIT, RIGHT, None, CLOSED]


@pytest.mark.parametrize(
    "line",
    [
        "1일 이체한도는 최고 5억원이라고 말하세요.",
        "1일 이체한도는 다음과 같습니다.\n- 개인: 5억원",
        "구분 | 1일 이체한도\n개인 | 1일 이체한도는 5억원입니다.",
        "- 이체한도:\n- 1일 이체한도: 최고 5억원",
        "1일 이체한도는 최고 5억원입니다. [1] 참고하십시오.",
        "1일 이체한도는 <b>최고</b> 5억원입니다.",
        "1일 이체한도는 5억원인가요?",
    ],
    ids=("to a model", "another label", "table", "list in a list", "a marker", "markup", "question"),
)
def test_what_cannot_be_read_alone_replaces_nothing(line: str) -> None:
    approved = {1: f"앱에서 한도를 신청하실 수 있습니다.\n{line}"}
    assert release(f"{RIGHT} {LIE}", approved).text == RIGHT


FEES = "이체 수수료는 건당 500원이고"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"{FEES} [2] 1일 이체한도는 최고 5억원입니다 [1].", True),
        (f"{FEES} [1] 1일 이체한도는 최고 5억원입니다 [2].", False),
        (f"{FEES}, 1일 이체한도는 최고 5억원입니다. [1][2]", True),
        (f"{FEES}, 1일 이체한도는 최고 5억원입니다. [1]", False),
    ],
    ids=("each its own", "exchanged", "both at the end", "one for both"),
)
def test_a_part_is_compared_with_the_sources_that_it_cites(said: str, shown: bool) -> None:
    released = release(f"{RIGHT} {said}")
    assert (said in released.text, released.notice) == (shown, None if shown else "withheld")


LISTS = {
    1: (
        "이체한도는 다음과 같습니다.\n\n- 개인: 1일 5억원\n- 법인: 1일 50억원\n※ 다만, 미성년자는 30만원입니다.\n"
        "※ 앱에서 신청하실 수 있습니다."
    ),
    2: (
        "가입은 앱에서 하실 수 있습니다.\n- 가입금액: 최소 1만원\n- 금리: 연 3.5%\n[한도] 1인당 5천만원\n"
        "[만기 전 해지]\n이자는 약정이율의 절반입니다."
    ),
}
IN_APP = "앱에서 신청하실 수 있어요. [1]"


@pytest.mark.parametrize(
    ("lie", "shown"),
    [
        (
            "개인은 이체한도가 1일 6억원입니다. [1]",
            "이체한도는 다음과 같습니다. 개인: 1일 5억원 다만, 미성년자는 30만원입니다. [1]",
        ),
        (
            "법인 고객의 이체한도는 90억원이에요. [1]",
            "이체한도는 다음과 같습니다. 법인: 1일 50억원 다만, 미성년자는 30만원입니다. [1]",
        ),
        ("이 적금의 가입금액은 2만원부터예요. [2]", "가입금액: 최소 1만원 [2]"),
        ("적금 금리는 연 4.5%입니다. [2]", "금리: 연 3.5% [2]"),
        ("적금 한도는 1인당 6천만원이에요. [2]", "[한도] 1인당 5천만원 [2]"),
        ("만기 전에 해지하면 이자는 약정이율의 80%입니다. [2]", "[만기 전 해지] 이자는 약정이율의 절반입니다. [2]"),
    ],
    ids=("list head", "its other item", "label", "its neighbour", "heading in the line", "below a heading"),
)
@pytest.mark.parametrize("lead", [" ", "\n- "])
def test_a_line_of_a_list_or_below_a_heading_is_shown_with_its_head(lie: str, shown: str, lead: str) -> None:
    titles = {1: "가온은행\n이체한도는 얼마인가요?", 2: "가온은행\n새싹적금의 금리와 가입 조건은 어떻게 되나요?"}
    sources = {number: f"{titles[number]}\n{LISTS[number]}" for number in LISTS}
    released = SentenceRelease(sources, RuleVerifier(), instruction=ANSWERING, approved=LISTS)
    released.feed(f"{IN_APP}{lead}{lie}")
    released.end()
    assert (released.text, released.notice) == (f"{IN_APP}{lead}{shown}", "withheld")
    spans = Answer("질문", released.text, "answered", support=tuple(released.support)).sentence_spans()
    assert [span and released.text[slice(*span)] for span in spans] == [IN_APP, None, shown]


@pytest.mark.parametrize(
    "passage",
    [
        "- 1개월 이내: 약정이율의 50%\n- 1개월 초과: 약정이율의 30%",
        "- 이율:\n- 약정이율: 30%",
        "기간 | 약정이율\n- 약정이율: 30%",
        "- 약정이율은 30%인가요?",
        "- 약정이율은 다음 표의 30%입니다.",
    ],
    ids=("two of the same words", "list in a list", "table", "question", "refers to a table"),
)
def test_a_line_of_a_list_that_does_not_answer_alone_replaces_nothing(passage: str) -> None:
    approved = {1: f"앱에서 한도를 신청하실 수 있습니다.\n\n{passage}"}
    assert release(f"{RIGHT} 2개월이 지나면 약정이율의 80%가 적용됩니다. [1]", approved).text == RIGHT


@pytest.mark.parametrize(
    ("passage", "found"),
    [
        ("가입은 앱에서 하실 수 있습니다. 단, 휴일은 안 됩니다.", ["가입은 앱에서 하실 수 있습니다. 단, 휴일은 안 됩니다."]),
        ("다음 날 입금됩니다.\n※ 수수료는 없습니다.", ["다음 날 입금됩니다.", "수수료는 없습니다."]),
        (
            "한도는 5억원입니다.\n- 개인: 3억원\n※ 다만 법인은 7억원입니다.",
            ["한도는 5억원입니다. 다만 법인은 7억원입니다.", "개인: 3억원 다만 법인은 7억원입니다."],
        ),
        ("가입하실 수 있습니다. 다만, 아래는 제외됩니다.\n- 법인", []),
        ("[제외]\n- 법인\n- 외국인: 비거주자", ["[제외] 외국인: 비거주자"]),
        ("[경로]\n- 앱: 전체메뉴 > 이체\n- 시간: 매일\n\n- 수수료: 없음", ["[경로] 시간: 매일", "수수료: 없음"]),
        ("[수수료] 500원\n휴일에는 면제됩니다.", ["[수수료] 500원"]),
        ("[서류]\n다음과 같습니다.\n- 본인: 신분증", ["[서류] 다음과 같습니다. 본인: 신분증"]),
        ("한도는 5억원입니다.\n(법인은 50억원)", []),
        ("[우대]\n- 급여이체: 0.5%p\n-0.3%p: 해지 시\n(1) 앱 가입: 0.1%p", ["[우대] 급여이체: 0.5%p"]),
        ("다만 법인은 제외됩니다.", []),
        ("", []),
    ],
)  # fmt: skip
def test_statements_of_a_passage(passage: str, found: list[str]) -> None:
    assert [each.text for each in statements(passage)] == found
