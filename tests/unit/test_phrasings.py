"""Several phrasings of one row: how files give them, and where two rows lay claim to one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import RowErrors
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.phrasings import collisions, split_phrasings
from rag.ingestion.readers import read


def read_text(tmp_path: Path, text: str, columns: dict[str, str] | None = None) -> list[FaqRow]:
    file = tmp_path / "faq.csv"
    file.write_text(text, encoding="utf-8")
    return read([file], columns=columns)


@pytest.mark.parametrize(
    "cell", ["비번 잊음|암호 분실", " 비번 잊음\n암호 분실\r\n", "비번 잊음 ｜｜ 암호 분실 |", "비번 잊음\r암호 분실"]
)
def test_a_cell_is_parted_by_bars_and_line_breaks(cell: str) -> None:
    assert split_phrasings(cell) == ("비번 잊음", "암호 분실")


@pytest.mark.parametrize("column", ["alternatives", "유사질문", "Alternatives"])
def test_the_column_is_found_by_its_names(tmp_path: Path, column: str) -> None:
    [row] = read_text(
        tmp_path, f'id,question,answer,{column}\n1,비밀번호를 잊었습니다.,앱에서 바꾸세요.,"비번 잊음\n암호 분실"\n'
    )
    assert row.alternatives == ("비번 잊음", "암호 분실") and not row.extra


def test_the_workshops_layout_and_columns_of_other_names_have_them_too(tmp_path: Path) -> None:
    [row] = read_text(
        tmp_path, "no,Category,Information,type,Source,유사질문\n7,한도를 늘리려면?,영업점,이체,은행,한도 올리기\n"
    )
    assert row.alternatives == ("한도 올리기",)
    text = "id,question,answer,고객 표현\n1,한도를 늘리려면?,영업점,한도 올리기\n"
    [row] = read_text(tmp_path, text, {"alternatives": "고객 표현"})
    assert row.alternatives == ("한도 올리기",)


def test_rows_of_one_id_and_one_answer_are_one_row_under_the_first_question(tmp_path: Path) -> None:
    lines = (
        "id,question,answer,bank,alternatives",
        "1,한도를 늘리려면?,영업점,가람은행,한도 증액",
        "2,비밀번호 변경,앱,가람은행,",
        "1,한도 올리기,영업점,,이체 더 많이",
        "1,한도 올리기!,영업점,가람은행,",
    )
    text = "\n".join(lines)
    first, second = read_text(tmp_path, text)
    assert (first.question, first.alternatives) == ("한도를 늘리려면?", ("한도 증액", "한도 올리기", "이체 더 많이"))
    assert (first.row, first.bank, second.alternatives) == (2, "가람은행", ())


@pytest.mark.parametrize(
    "line",
    ["1,한도 올리기,앱에서,가람은행", "1,한도를  늘리려면,영업점,가람은행", "1,한도 올리기,영업점,나눔은행"],
    ids=["another answer", "the same question", "another institution"],
)
def test_rows_of_one_id_that_differ_otherwise_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(RowErrors, match="id '1' is already used in"):
        read_text(tmp_path, f"id,question,answer,bank\n1,한도를 늘리려면?,영업점,가람은행\n{line}\n")


def test_without_an_id_column_rows_of_one_answer_stay_apart(tmp_path: Path) -> None:
    assert len(read_text(tmp_path, "question,answer\n한도를 늘리려면?,영업점\n한도 올리기,영업점\n")) == 2


def test_a_phrasing_is_kept_once(tmp_path: Path) -> None:
    [row] = read_text(
        tmp_path, "id,question,answer,alternatives\n1,한도 변경?,영업점,한도변경|한도 올리기|한도 올리기?\n"
    )
    assert len(row.alternatives) == 1


def faq(*rows: tuple[str, str, tuple[str, ...], str, str, str]) -> list[FaqRow]:
    return [
        FaqRow(id=str(number), question=question, answer=answer, alternatives=alternatives, bank=bank,
               effective_from=start, effective_until=end)
        for number, (question, answer, alternatives, bank, start, end) in enumerate(rows, 1)
    ]  # fmt: skip


def test_a_phrasing_of_two_rows_is_reported() -> None:
    rows = faq(
        ("계좌를 해지하려면?", "영업점", ("통장 없애기", "계좌 닫기"), "", "", ""),
        ("카드를 해지하려면?", "전화", ("통장  없애기!",), "", "", ""),
        ("계좌 닫기", "앱", (), "", "", ""),
    )
    lines = list(map(str, collisions(rows)))
    assert len(lines) == 2
    assert "row 2: '통장  없애기!'" in lines[0] and "row 1 ('계좌를 해지하려면?')" in lines[0]
    assert "row 3: '계좌 닫기'" in lines[1]


def test_what_no_customer_can_confuse_is_no_collision() -> None:
    phrasing = ("통장 없애기",)
    assert not collisions(
        faq(("가", "영업점", phrasing, "가람은행", "", ""), ("나", "앱", phrasing, "나눔은행", "", ""))
    )
    assert not collisions(
        faq(("가", "영업점", phrasing, "", "", "2025-12-31"), ("나", "앱", phrasing, "", "2026-01-01", ""))
    )
    assert not collisions(faq(("가", "영업점", phrasing, "", "", ""), ("나", "영업점", phrasing, "", "", "")))
    assert not collisions(faq(("가", "영업점", (), "", "", ""), ("가", "앱", (), "", "", "")))
    assert collisions(
        faq(("가", "영업점", phrasing, "", "2025-01-01", ""), ("나", "앱", phrasing, "", "", "2025-01-01"))
    )
