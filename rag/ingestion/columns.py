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
_NAMES = {
    "id": "id no no. 번호 연번 순번 일련번호 관리번호 글번호 faq번호 문서번호",
    "question": "question q 질문 질문내용 문의 문의내용 문의사항 질의 질의내용 고객질문 faq질문 자주묻는질문 제목 faq제목",
    "alternatives": "alternatives 유사질문 유사질의 유사표현 대체질문 다른표현",
    "answer": "answer a 답변 답변내용 답 답글 응답 회신 회신내용 안내내용 faq답변 내용",
    "category": "category 구분 분류 카테고리 유형 업무구분 업무 질문유형 질문분류 상담유형 대분류 주제",
    "bank": "bank 은행 은행명 기관 기관명 금융회사 금융회사명 금융기관 금융사 회사 회사명 카드사 보험사 증권사",
    "source_url": "source_url url 링크 원문링크 출처링크 출처url 원문url 관련링크 홈페이지",
    "effective_from": "effective_from 시행일 시행일자 적용일 적용일자 적용시작일 시작일 시작일자 게시일 게시일자 등록일 "
    "등록일자 작성일 작성일자",
    "effective_until": "effective_until 종료일 종료일자 적용종료일 만료일 만료일자 게시종료일 마감일",
}
"""Known column names by field. Of several in one file the first in this list is used; the others are additional columns."""


def clean_name(name: str) -> str:
    """A column's name in NFC, without invisible characters and surplus white space."""
    return " ".join(remove_invisible(name).split())


def _key(name: str) -> str:
    # Markers are ignored: "질문 *", "답변(필수)", "등록일:".
    text = unicodedata.normalize("NFKC", clean_name(name)).casefold()
    return re.sub(r"\s|[*:：]|\((?:필수|선택|required)\)", "", text)


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
    # The workshop's layout applies only without a question and an answer: its `Category` has the question.
    if not (known["question"] and known["answer"]) and by_key.keys() >= {_WORKSHOP["question"], _WORKSHOP["answer"]}:
        known = {field: by_key.get(_WORKSHOP.get(field, ""), known.get(field)) for field in FIELDS}
    located = {field: column for field, column in known.items() if column and field not in given_columns}
    return located | {field: column for field, column in given_columns.items() if column in header}
