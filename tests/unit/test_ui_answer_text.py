"""An answer's text as HTML: shown as written, with only our own tags."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.types import Answer, Source
from rag.ui.answer_text import FOLD_AFTER_CHARS, fold_blocks, phone_numbers, render_blocks, split_quotes
from rag.ui.conversation import Exchange
from rag.ui.rendering import RenderOptions, frame_html, turn_html
from rag.ui.texts import KOREAN
from tests.fakes import HOSTILE, SOURCES, answer_to

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"))
ROW = "수수료는 없습니다.\n\n[경로]\n- 모바일: 앱 로그인 > 전체메뉴 > 인증/보안\n1. 신고\n2. 재발급 3,000원\n※ 24시간 가능"


def letters(text: str) -> str:
    """The text without white space and the marks of lists, labels and tables."""
    return re.sub(r"[\s\-*•·\[\]().0-9|]", "", text)


def read(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_lists_paths_labels_and_notes() -> None:
    lead, tag, bullets, steps, note = render_blocks(ROW)
    assert lead == "<p>수수료는 없습니다.</p>"
    assert tag == '<p class="tag">경로</p>'
    assert bullets.startswith("<ul><li>모바일:") and bullets.count('class="gt"') == 2
    assert read(bullets) == "모바일: 앱 로그인 > 전체메뉴 > 인증/보안"
    assert steps == '<ol start="1"><li>신고</li><li>재발급 <span class="nb">3,000원</span></li></ol>'
    assert note == '<p class="note">※ <span class="nb">24시간</span> 가능</p>'


def test_a_label_with_its_text_behind_it() -> None:
    assert render_blocks("[경로] 앱 > 인증")[0] == '<p class="tag">경로</p>'
    assert read(render_blocks("[경로] 앱 > 인증")[1]) == "앱 > 인증"


def test_rows_of_a_documents_table_are_a_table() -> None:
    text = '정기예금\n상품 | 6개월 | \n든든예금 | 연 3.1% | 앱 > 예금\n앱"예금 | | 없음\n※ 1억원까지'
    heading, table, note = render_blocks(text)
    assert (read(heading), read(note)) == ("정기예금", "※ 1억원까지")
    assert 'role="group" tabindex="0" aria-label="상품, 6개월"' in table
    rows = [[read(cell) for cell in re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in table.split("</tr>")[:-1]]
    assert rows == [["상품", "6개월", ""], ["든든예금", "연 3.1%", "앱 > 예금"], ['앱"예금', "", "없음"]]
    assert table.count("<th ") == 3


@pytest.mark.parametrize("text", ["가 | 나", "가 | 나\n다 | 라 | 마", "| 가 | 나 |\n|---|---|\n| 1 | 2 |"])
def test_other_lines_with_a_bar_stay_text(text: str) -> None:
    assert "<table" not in "".join(render_blocks(text))
    assert letters(read("".join(render_blocks(text)))) == letters(text)


@pytest.mark.parametrize("amount", ["5천만원", "1억 원", "1.5%", "30영업일", "09:00~16:00시", "2~4영업일"])
def test_amounts_do_not_break(amount: str) -> None:
    assert f'<span class="nb">{amount}</span>' in render_blocks(f"한도는 {amount}입니다.")[0]


def test_only_the_institutions_own_numbers_are_links() -> None:
    text = "1500-0101 또는 02-123-4567, 주민등록번호 900101-1234567, 2025-03-04"
    assert phone_numbers(text) == {"1500-0101", "02-123-4567"}
    (html,) = render_blocks(text, own_numbers={"1500-0101"})
    assert re.findall(r'href="([^"]*)"', html) == ["tel:1500-0101"]
    assert "href" not in render_blocks(text)[0]


@given(TEXT)
def test_is_shown_as_written_in_our_tags(text: str) -> None:
    html = "".join(render_blocks(text, own_numbers=phone_numbers(text)))
    assert letters(read(html)) == letters(text)
    ours = {"p", "ul", "ol", "li", "span", "a", "div", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall(r"</?(\w+)", html)) <= ours
    assert all(re.fullmatch(r"tel:[\d-]+", target) for target in re.findall(r'href="([^"]*)"', html))


def test_hostile_text_reads_as_written() -> None:
    assert letters(read("".join(render_blocks(HOSTILE)))) == letters(HOSTILE)


def test_citations_of_known_sources_become_links() -> None:
    each = Exchange(4, "질문", text="한도[1][2]와 [3], [0], [01]", sources=SOURCES[:2])
    html = turn_html(each, RenderOptions(KOREAN))
    assert re.findall(r'<a class="cite" href="([^"]*)" aria-label="출처 \[\d+\]">(\[\d+\])</a>', html) == [
        ("#src-4-1", "[1]"), ("#src-4-2", "[2]"), ("#src-4-1", "[1]"),
    ]  # fmt: skip


def quoting(*numbers: int) -> Exchange:
    parts = [f"{SOURCES[number - 1].metadata['bank']}\n{SOURCES[number - 1].text} [{number}]" for number in numbers]
    text = "\n\n".join(["기관마다 내용이 달라 각각 안내해 드립니다.", *parts])
    answer = Answer("질문", text, "answered", sources=SOURCES, cited=numbers)
    return Exchange(1, "질문", text, SOURCES, answer)


def test_each_institutions_text_stands_under_its_name() -> None:
    html = turn_html(quoting(1, 2), RenderOptions(KOREAN))
    assert re.findall(r'<h3 class="chip">([^<]*)</h3>', html) == ["새나래은행", "도담저축은행"]
    assert html.count('class="passage-card"') == 2
    assert re.findall(r'class="cite" href="([^"]*)"', html) == ["#src-1-1", "#src-1-2"]
    assert KOREAN.approved in html
    assert 'href="tel:1500-0101"' in html


def test_questions_offered_beside_a_quote_are_a_list_of_buttons() -> None:
    quote = f"{SOURCES[0].text} [1]"
    offer = f"수수료는?\n골라 주세요.\n- {SOURCES[1].question} (도담저축은행) [2]"
    text = f"나누어 안내합니다.\n\n신고는?\n새나래은행\n{quote}\n\n{offer}"
    html = turn_html(
        Exchange(1, "질문", text, SOURCES, Answer("질문", text, "answered", sources=SOURCES, cited=(1,))),
        RenderOptions(KOREAN),
    )
    (offered,) = re.findall(r'<ul class="offered">(.*?)</ul>', html)
    assert f'data-row="{SOURCES[1].id}"' in offered and 'href="#src-1-2"' in offered
    assert read(offered).split() == f"도담저축은행 {SOURCES[1].question} [2]".split()
    assert re.findall(r'<p class="lead">([^<]*)</p>', html) == ["나누어 안내합니다.", "신고는?", "수수료는?"]
    assert "<p>골라 주세요.</p>" in html and ">- " not in html


def test_a_models_text_has_its_institutions_as_headings() -> None:
    text = "새나래은행\n먼저 신고해 주세요. [1]\n\n도담저축은행 [2], 새나래은행 [1]\n두 곳 모두 됩니다. [1][2]"
    html = turn_html(Exchange(1, "질문", text, SOURCES, generated=True, checked=True), RenderOptions(KOREAN))
    assert re.findall(r'<h3 class="chip">([^<]*)</h3>', html) == ["새나래은행"]
    (both,) = re.findall(r'<p class="tag">(.*?)</p>', html)
    assert read(both) == "도담저축은행 [2], 새나래은행 [1]" and both.count('class="cite"') == 2
    assert "<p>먼저 신고해 주세요." in html
    # A line of the text that only holds a name among others is none.
    assert render_blocks("새나래은행입니다", names={"새나래은행"}) == ["<p>새나래은행입니다</p>"]


def test_what_is_no_quoted_row_is_shown_as_one_text() -> None:
    assert split_quotes("다른 글 [1]", SOURCES, answer_to("질문")) is None
    suggested = answer_to("비슷한 질문")
    assert split_quotes(suggested.text, suggested.sources, suggested) is None


def test_a_long_text_is_folded_and_its_label_is_not_left_alone() -> None:
    long = "가" * FOLD_AFTER_CHARS
    made = render_blocks(f"{'나' * 200}\n\n[경로]\n{long}\n\n{long}")
    html = fold_blocks(made, 3 * FOLD_AFTER_CHARS, more="자세히", several=False)
    shown, _, rest = html.partition('<details class="more">')
    assert read(shown) == "나" * 200
    assert read(rest) == f"자세히경로{long}{long}"
    assert "details" not in fold_blocks(made[:1], 200, more="자세히", several=False)


def test_a_frame_grows_with_its_turn_alone() -> None:
    sizes = []
    for turn in (1, 20):
        exchange = Exchange(turn, "질문", "답", SOURCES, answer_to("질문"))
        sizes.append(len(frame_html([exchange], range(1, turn + 1), RenderOptions(KOREAN), serial=turn, busy=False)))
    assert sizes[1] < sizes[0] + 100


def test_data_leaves_no_attribute_of_a_frame() -> None:
    hostile = Source(1, HOSTILE, HOSTILE, HOSTILE, 0.5, {"bank": HOSTILE})
    exchange = Exchange(1, HOSTILE, HOSTILE, (hostile,), Answer(HOSTILE, HOSTILE, "suggested", sources=(hostile,)))
    html = frame_html(
        [exchange], [1], RenderOptions(KOREAN, contact=HOSTILE), serial=1, busy=False, hint=HOSTILE, toast=HOSTILE
    )
    assert html.count("'") == 4, "two attributes in single quotes, and none within"
    assert "<img" not in html.replace("&lt;", "")


def test_a_marked_sentence_is_followed_by_its_note() -> None:
    text = "한도는 5억원입니다. [1] 취소는 느긋하게 하세요. [1]\n"
    text += "- 앱 > 메뉴에서 천천히 하세요. [1]\n\n구분 | 한도\n가게 | 넉넉합니다. [1]"
    weak = ("취소는 느긋하게 하세요. [1]", "- 앱 > 메뉴에서 천천히 하세요. [1]", "가게 | 넉넉합니다. [1]")
    first, bullets, table = render_blocks(text, weak=weak, weak_note="확인해 <b>주세요</b>")
    note = '<small class="weak-note">확인해 &lt;b&gt;주세요&lt;/b&gt;</small>'
    assert (
        first
        == f'<p>한도는 <span class="nb">5억원</span>입니다. [1] <mark class="weak">취소는 느긋하게 하세요. [1]</mark> {note}</p>'
    )
    assert bullets.startswith("<ul><li><mark") and bullets.endswith(f"</mark> {note}</li></ul>")
    assert f'<td>가게</td><td><mark class="weak">넉넉합니다. [1]</mark> {note}</td>' in table


def test_a_sentence_of_the_source_in_place_of_the_models_is_followed_by_its_note() -> None:
    text = "취소는 느긋하게 하세요. [1]\n- 수수료는 [무료]입니다. [2]"
    first, bullets = render_blocks(
        text,
        weak=["취소는 느긋하게 하세요. [1]"],
        weak_note="확인",
        own=["- 수수료는 [무료]입니다. [2]"],
        own_note="<원문>",
    )
    assert first.endswith('<small class="weak-note">확인</small></p>')
    note = '<small class="own-note">&lt;원문&gt;</small>'
    assert bullets == f'<ul><li><span class="own">수수료는 [무료]입니다. [2]</span> {note}</li></ul>'


def test_a_text_cannot_mark_itself() -> None:
    assert render_blocks("\ue002가\ue001 나", own_note="원문") == ["<p>가 나</p>"]
    assert render_blocks("\ue000가\ue001 나", weak_note="확인") == ["<p>가 나</p>"]
    assert render_blocks("가 나", weak=("다",), weak_note="확인") == ["<p>가 나</p>"]
