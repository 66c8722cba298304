"""Collapsed panels of HTML pages: read if something visible opens them, left out and counted if nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document_builders import read, texts

Q, ANSWER = "송금 한도는?", "<p>하루 2억원까지 보낸다.</p>"
READ = [Q, "하루 2억원까지 보낸다."]
HIDDEN = "style='display:none'"
PAGES = {
    "the button names it": f"<h3><button aria-expanded=false aria-controls=a>{Q}</button></h3><div id=a hidden>{ANSWER}</div>",
    "the opener follows it": f"<div id=a hidden>{ANSWER}</div><a href='#a'>{Q}</a>",
    "a plain panel of a style sheet elsewhere": f"<button class=accordion>{Q}</button><div class=panel>{ANSWER}</div>",
    "a library's attributes": f"<div class=card-header><a data-bs-target='#c'>{Q}</a></div><div id=c {HIDDEN}>{ANSWER}</div>",
    "labelled": f"<div id=t role=heading>{Q}</div><section aria-labelledby=t hidden>{ANSWER}</section>",
    "terms, unclosed": f"<style>dd{{}} .x{{display:none}}</style><dl><dt>{Q}<dd class=x>{ANSWER}</dl>",
    "a list": f"<ul class=faqList><li><a onclick='f()'>{Q}</a><div class=a {HIDDEN}>{ANSWER}</div></li></ul>",
    "question and answer without a link": f"<div class=faq><p class=q>{Q}</p><div class=faq_a {HIDDEN}>{ANSWER}</div></div>",
    "a checkbox": f"<div class=toggle><input type=checkbox id=i><label for=i>{Q}</label><div {HIDDEN}>{ANSWER}</div></div>",
    "details": f"<details><summary>{Q}</summary>{ANSWER}</details>",
    "tab": f"<button role=tab id=t aria-controls=p>{Q}</button><div role=tabpanel id=p {HIDDEN}>{ANSWER}</div>",
    "nested": f"<div class=accordion><h4><a>{Q}</a></h4><div {HIDDEN}><div class=faq-body><a>{Q}</a>"
    f"<div {HIDDEN}>{ANSWER}</div></div></div></div>",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_collapsed_answer_is_read_with_its_question(tmp_path: Path, name: str) -> None:
    document = read(tmp_path, "a.html", f"<html><body>{PAGES[name]}</body></html>")
    assert set(texts(document)) == set(READ)
    assert not document.notes


def test_rows_of_a_table_that_open_are_read(tmp_path: Path) -> None:
    rows = "".join(
        f"<tr><td>{at}<td><a href='javascript:;'>{q}</a><tr class=answer {HIDDEN}><td colspan=2>{a}"
        for at, (q, a) in enumerate([("송금 한도는?", "하루 2억원이다."), ("환전 한도는?", "하루 3만 달러이다.")], 1)
    )
    document = read(tmp_path, "a.html", f"<table>{rows}</table>")
    assert texts(document) == ["1 | 송금 한도는?", "하루 2억원이다.", "2 | 환전 한도는?", "하루 3만 달러이다."]


@pytest.mark.parametrize(
    "page",
    [
        f"<p>수수료 안내</p><div {HIDDEN}>몰래</div>",
        "<div class=faq><p>수수료 안내</p><p hidden>몰래</p></div>",
        # What opens it is hidden itself.
        "<p>수수료 안내</p><div hidden><button aria-controls=a>열기</button></div><div id=a hidden>몰래</div>",
        "<p>수수료 안내</p><div id=a hidden><a href='#a'>열기</a>몰래</div>",
        # A menu.
        "<button aria-expanded=false aria-controls=gnb>메뉴</button><div id=gnb hidden>몰래</div><p>수수료 안내</p>",
        "<button aria-controls=m>메뉴</button><div id=m hidden><nav>몰래</nav></div><p>수수료 안내</p>",
        # A whole section is no title.
        f"<div><button aria-expanded=false>열기</button><p>수수료 안내</p>{'<p>가나다라마</p>' * 50}</div><div hidden>몰래</div>",
    ],
)
def test_hidden_text_that_nothing_visible_opens_is_left_out_and_counted(tmp_path: Path, page: str) -> None:
    document = read(tmp_path, "a.html", page)
    assert "수수료 안내" in texts(document) and not any("몰래" in text for text in texts(document))
    assert [note.kind for note in document.notes] == ["hidden"]


def test_a_form_around_the_page_is_read_and_a_search_form_is_not(tmp_path: Path) -> None:
    page = (
        "<form><input><button>찾기</button></form>"
        "<form id=main><h2>재발급</h2><p>4,500원이다.</p><select><option>가</select></form>"
    )
    assert texts(read(tmp_path, "a.html", page)) == ["재발급", "4,500원이다."]


def test_small_letters_are_not_hidden_and_struck_ones_are_left_out(tmp_path: Path) -> None:
    page = (
        "<p style='font-size:0.8em'>작은 글</p><p style='font-size:0'>없는 글</p>"
        "<p>우대 <span style='text-decoration: line-through'>0.9%p</span> 0.4%p</p>"
    )
    document = read(tmp_path, "a.html", page)
    assert texts(document) == ["작은 글", "우대 0.4%p"]
    assert {note.kind for note in document.notes} == {"hidden", "struck_text"}


def test_deep_and_unclosed_markup_is_read(tmp_path: Path) -> None:
    assert texts(read(tmp_path, "a.html", "<div>" * 3000 + "보이는 글" + "<dd hidden>" * 500)) == ["보이는 글"]
