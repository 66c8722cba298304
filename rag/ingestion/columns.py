"""Maps a table's columns to the fields of an FAQ row, by this project's names, the workshop's, and Korean ones. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from rag.ingestion.cell_text import remove_invisible

FIELDS = (
    "id", "question", "alternatives", "answer", "category", "bank", "source_url", "effective_from", "effective_until"
)  # fmt: skip
REQUIRED = ("question", "answer")
DATES = ("effective_from", "effective_until")

_WORKSHOP = {"id": "no", "question": "category", "answer": "information", "category": "type", "bank": "source"}
_ENDINGS = {
    "question": ("질문", "질문내용", "문의", "문의내용", "문의사항", "질의", "질의내용"),
    "answer": ("답변", "답변내용", "답변안", "회신", "회신내용"),
}
"""Ends of names for a question or an answer, as in "고객 문의사항" and "표준답변", where none of the known names is used."""
_GENERAL = frozenset(["제목", "title", "subject", "안내내용", "내용", "content", "contents", "body"])
_NAMES = {
    "id": "id no no. 번호 연번 순번 일련번호 관리번호 글번호 faq번호 문서번호",
    "question": "question q 질문 질문내용 문의 문의내용 문의사항 질의 질의내용 고객질문 faq질문 자주묻는질문 제목 faq제목 "
    "title subject",
    "alternatives": "alternatives 유사질문 유사질의 유사표현 대체질문 다른표현",
    "answer": "answer a 답변 답변내용 답 답글 응답 회신 회신내용 안내내용 faq답변 내용 content contents body",
    "category": "category 구분 분류 카테고리 유형 업무구분 업무 질문유형 질문분류 상담유형 대분류 주제",
    "bank": "bank 은행 은행명 기관 기관명 금융회사 금융회사명 금융기관 금융사 회사 회사명 카드사 보험사 증권사",
    "source_url": "source_url url 링크 원문링크 출처링크 출처url 원문url 관련링크 홈페이지",
    "effective_from": "effective_from 시행일 시행일자 적용일 적용일자 적용시작일 시작일 시작일자 게시일 게시일자 등록일 "
    "등록일자 작성일 작성일자",
    "effective_until": "effective_until 종료일 종료일자 적용종료일 만료일 만료일자 게시종료일 마감일",
}
"""Known column names by field. Of several in one file the first in this list is used; the others are additional columns."""


_SWITCHES = frozenset({
    "노출여부", "사용여부", "게시여부", "공개여부", "전시여부", "표시여부", "use_yn", "useyn", "disp_yn", "display_yn",
    "open_yn", "show_yn", "is_active", "isactive", "is_visible", "visible", "active", "enabled", "published", "is_published",
})  # fmt: skip
_OFF = frozenset({
    "n", "no", "f", "false", "0", "off", "x", "아니오", "아니요", "부", "미노출", "비노출", "미사용", "사용안함", "미게시",
    "비공개", "중지", "노출안함", "숨김",
})  # fmt: skip
_DELETIONS = frozenset({
    "삭제여부", "폐지여부", "숨김여부", "del_yn", "delyn", "delete_yn", "is_deleted", "deleted", "hidden", "is_hidden",
})  # fmt: skip
_ON = frozenset({"y", "yes", "t", "true", "1", "on", "o", "예", "네", "여", "삭제", "폐지", "숨김"})


def is_switched_off(values: Mapping[str, object]) -> bool:
    """Whether a row's own columns say that it is not shown to customers: 사용여부 "N", 노출여부 "미노출", del_yn "Y"."""
    states = {_key(name): _key(str(value)) for name, value in values.items()}
    return any(states.get(name) in _OFF for name in _SWITCHES) or any(states.get(name) in _ON for name in _DELETIONS)


def is_faq_name(name: str) -> bool:
    """Whether a column's name is one that only an FAQ has: 질문, answer; not 제목 or 내용, which any table may have."""
    key = _key(name)
    known = {*_NAMES["question"].split(), *_NAMES["answer"].split()} - _GENERAL
    return key in known or key.endswith((*_ENDINGS["question"], *_ENDINGS["answer"]))


def clean_name(name: str) -> str:
    """A column's name in NFC, without invisible characters and surplus white space."""
    return " ".join(remove_invisible(name).split())


def _key(name: str) -> str:
    # Markers are ignored: "질문 *", "답변(필수)", "질문(Q)", "Q.", "등록일:".
    text = unicodedata.normalize("NFKC", clean_name(name)).casefold()
    return re.sub(r"\s|[*:：]|\((?:필수|선택|required|q|a|question|answer|안)\)|\.$", "", text)


def _by_ending(field: str, keys: Mapping[str, str], known: Mapping[str, str | None]) -> str | None:
    """The only column that ends like a question or an answer and is not known as another field; None if there are several."""
    others = set(known.values()) | set(_NAMES["alternatives"].split())
    found = [name for key, name in keys.items() if key.endswith(_ENDINGS[field]) and not {key, name} & others]
    return found[0] if len(found) == 1 else None


def match_columns(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """The header's column for each field; fields without a column are omitted.

    `columns`: column names by field, which take precedence over the known names. Of two columns that differ only in case,
    the first is used.
    """
    # Cleaned like the header, because a name copied from a spreadsheet may contain a no-break space.
    given_columns = {name: clean_name(column) for name, column in columns.items()}
    # Reversed, so that of two columns with the same key the first one in the file is kept.
    by_key = {_key(name): name for name in reversed(header) if name and name not in given_columns.values()}
    known = {
        field: next((by_key[name] for name in names.split() if name in by_key), None) for field, names in _NAMES.items()
    }
    for field in REQUIRED:
        known[field] = known[field] or _by_ending(field, by_key, known)
    # The workshop's layout applies only without a question and an answer: its `Category` has the question.
    if not (known["question"] and known["answer"]) and by_key.keys() >= {_WORKSHOP["question"], _WORKSHOP["answer"]}:
        known = {field: by_key.get(_WORKSHOP.get(field, ""), known.get(field)) for field in FIELDS}
    located = {field: column for field, column in known.items() if column and field not in given_columns}
    return located | {field: column for field, column in given_columns.items() if column in header}
