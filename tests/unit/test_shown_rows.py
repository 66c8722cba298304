"""What a row shows beside its score: the same question word for word, or the customer's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.conversation.customers_words import in_the_customers_words
from rag.conversation.follow_up_choice import answered_by_shown, names_unknown
from rag.conversation.row_search import is_same_question, prefer_same_question
from rag.conversation.shown_rows import cited_rows, holds_subject, other_than_shown, shown_before
from rag.conversation.suggestions import merge_as_suggestions, suggest_by_words
from rag.retrieval.confidence import JudgedNode, Verdict, judge
from rag.retrieval.rows import holds_words
from rag.types import Note, Turn
from tests.unit.test_confidence import PLAIN, hit, rows

LIMIT, FEE, TAX = "이체한도를 늘리려면?", "이체 수수료는 얼마인가요?", "이자 세금은 얼마인가요?"


def verdict(*questions: str, top: float = 4.0, banks: tuple[str, ...] = ()) -> Verdict:
    hits = [
        hit(f"r{number}", top - 2 * number, question=question, bank=banks[number] if banks else "")
        for number, question in enumerate(questions)
    ]
    # It names nothing that a row would have to hold.
    return judge("안내를 알려 주세요", hits, PLAIN)


def test_a_question_is_the_same_but_for_spaces_and_punctuation() -> None:
    row = verdict(LIMIT).ranked[0]
    assert is_same_question("이체 한도를 늘리려면", row) and is_same_question(" 이체한도를 늘리려면?! ", row)
    assert not is_same_question("이체한도를 늘리려면 수수료는", row)
    assert not is_same_question("", verdict("").ranked[0])


def test_a_row_asked_word_for_word_answers_however_far_it_is() -> None:
    found = prefer_same_question(verdict(FEE, LIMIT, TAX, top=-3.0), LIMIT)
    assert (found.status, found.reason, rows(found.nodes)) == ("answered", None, ["r1"])
    assert rows(found.ranked) == ["r1", "r0", "r2"] and found.nodes[0].quoted
    assert prefer_same_question(verdict(FEE, top=-3.0), LIMIT).status == "declined"
    answered = verdict(LIMIT, FEE)
    assert prefer_same_question(answered, LIMIT) is answered


def test_of_several_institutions_each_answers() -> None:
    found = prefer_same_question(verdict(LIMIT, LIMIT, LIMIT, top=-3.0, banks=("가", "나", "나")), LIMIT)
    assert rows(found.nodes) == ["r0", "r1"]


def test_words_are_looked_for_in_question_and_answer() -> None:
    row = verdict(FEE).ranked[0]
    assert holds_words(row, ("수수료",)) and holds_words(row, ("세금", "답변")) and not holds_words(row, ("세금",))


def test_rows_of_all_content_words_are_suggested() -> None:
    declined = verdict(LIMIT, FEE, TAX, top=-3.0)
    found = suggest_by_words(declined, ("이체", "수수료"))
    assert (found.status, found.reason, rows(found.nodes)) == ("suggested", None, ["r1"])
    assert suggest_by_words(declined, ("이체",)) is declined, "one word says too little"
    assert suggest_by_words(declined, ("이체", "보험")) is declined


def test_a_lone_word_is_offered_the_rows_that_hold_it() -> None:
    lone = replace(verdict(LIMIT, FEE, TAX, top=-3.0), query="이체요")
    assert rows(suggest_by_words(lone, ("이체",)).nodes) == ["r0", "r1"]


def test_a_short_question_is_about_rows_by_the_banks_words_too() -> None:
    declined = verdict("비밀번호를 분실한 경우 어떻게 하나요?", FEE, top=-3.0)
    short, long = (replace(declined, query=query) for query in ("비번 까먹음", "비번을 까먹어서 어떻게 하면 좋을지"))
    assert rows(suggest_by_words(short, ("비번", "까먹")).nodes) == ["r0"]
    assert suggest_by_words(long, ("비번", "까먹")) is long


@pytest.mark.parametrize(
    ("message", "elsewhere"),
    [
        ("서울에서 부산 얼마나 걸려", True),
        ("헬스장 등록비", True),
        ("이체 언제 돼", False),  # a word of banking
        ("비번 신청 어떻게", False),
        ("일본에서도 돼요?", False),  # it goes on
        ("생일은 안돼?", False),
        ("채웠는지 어디서 봐요", False),
        ("늘리려면 어디서 신청", False),  # the row holds it
        ("엄마 이체한도 신청", False),
        ("엄마 생일 선물", True),
        ("얼마예요", False),
        ("아 근데 저 지금 외국이에요", False),
        ("누가 받을수 있어요", False),  # no names
        ("뭐뭐 챙겨가야 하나요", False),
    ],
)
def test_what_a_message_names_may_be_known_to_nothing(message: str, elsewhere: bool) -> None:
    assert names_unknown(message, verdict(LIMIT).ranked) is elsewhere


def test_a_row_shown_before_gives_way_to_rows_about_the_word() -> None:
    found = other_than_shown(verdict(LIMIT, FEE, TAX), verdict(TAX, top=-3.0), ["r0"], ("수수료",))
    assert (found.status, rows(found.nodes)) == ("suggested", ["r1"])
    assert found.note and (found.note.kind, found.note.values) == ("not_mentioned", {"word": "수수료"})


def test_a_row_without_a_chance_does_not_come_before_the_row_shown() -> None:
    points, cash = "나루포인트 유효기간은 얼마인가요?", "나루포인트를 현금으로 바꾸려면?"
    found = verdict(points, cash, TAX)
    found.ranked[1].score = 0.001
    others = other_than_shown(found, verdict(TAX, top=-3.0), ["r0"], ("현금", "바꾸는건"))
    assert rows(others.nodes)[0] == "r0"


def test_a_row_shown_before_that_holds_the_word_is_offered_with_the_others() -> None:
    found = other_than_shown(verdict(LIMIT, FEE), verdict(TAX, top=-3.0), ["r0"], ("한도",))
    assert found.note and found.note.kind == "already_shown" and rows(found.nodes)[0] == "r0"
    assert all(isinstance(node, JudgedNode) and not node.quoted for node in found.nodes)


def test_rows_that_hold_more_of_the_words_come_before_the_row_shown() -> None:
    points, cash = "나루포인트 유효기간은 얼마인가요?", "나루포인트를 현금으로 바꾸려면?"
    found = other_than_shown(verdict(points, cash, TAX), verdict(TAX, top=-3.0), ["r0"], ("현금", "바꾸는건"))
    assert rows(found.nodes)[:2] == ["r1", "r0"] and found.note is None
    as_much = other_than_shown(verdict(points, cash, TAX), verdict(TAX, top=-3.0), ["r0"], ("유효기간",))
    assert rows(as_much.nodes)[0] == "r0"


def test_rows_on_a_word_are_found_by_the_banks_words_for_it() -> None:
    passbook, device = "통장을 분실했어요", "일회용 비밀번호 생성기를 분실했어요"
    assert holds_subject(verdict(device).ranked[0], "otp")
    found = other_than_shown(verdict(passbook, TAX, device), verdict(TAX, top=-3.0), ["r0"], ("otp",))
    assert rows(found.nodes) == ["r2"]


def test_without_any_other_row_it_is_declined() -> None:
    one = verdict(LIMIT)
    assert other_than_shown(one, one, ["r0"], ("수수료",)).status == "declined"


def test_a_row_says_something_on_a_word_by_another_name() -> None:
    row = verdict("정기예금 중도해지 이율").ranked[0]
    assert holds_subject(row, "이자") and holds_subject(row, "중도해지") and not holds_subject(row, "서류")
    found = other_than_shown(verdict("정기예금 중도해지 이율", FEE), verdict(TAX, top=-3.0), ["r0"], ("이자",))
    assert found.note and found.note.kind == "already_shown" and rows(found.nodes)[0] == "r0"


def test_a_row_says_something_on_a_currency_by_its_countrys_name() -> None:
    row = verdict("환전 우대는 미국 달러와 일본 엔에 있나요?").ranked[0]
    assert holds_subject(row, "엔화") and not holds_subject(row, "유로화")
    assert not holds_subject(verdict("한도 증액은 어떻게 하나요?").ranked[0], "늘려요")


def answered_again(message: str, text: str) -> Verdict | None:
    found = verdict("통장 도장을 바꾸려면?")
    node = found.nodes[0].node.model_copy(update={"text": text})
    nodes = (found.nodes[0].model_copy(update={"node": node}),)
    before = [Turn("도장 바꾸기", f"{text} [1]", "answered", ("r0",))]
    return answered_by_shown(replace(found, nodes=nodes), before, message)


def test_only_a_sentence_on_what_a_message_names_is_quoted_again() -> None:
    told = answered_again("준비물은?", "영업점에서 바꾸실 수 있습니다. 준비물은 새 도장과 통장입니다.")
    assert told and told.note and told.note.values == {"sentence": "준비물은 새 도장과 통장입니다."}
    labelled = answered_again("준비물은?", "영업점에서 바꾸실 수 있습니다.\n[준비물]\n- 새 도장\n- 통장")
    assert labelled and labelled.note and labelled.note.values == {"sentence": "[준비물] 새 도장, 통장"}


@pytest.mark.parametrize(
    ("message", "text", "sentence"),
    [
        ("며칠 걸려요?", "도장은 창구에서 바꿉니다. 신청 후 3영업일 안에 됩니다.", "신청 후 3영업일 안에 됩니다."),
        ("비용은 얼마예요?", "수수료는 2,000원입니다. 창구에서 바꿉니다.", "수수료는 2,000원입니다."),
        ("얼마예요?", "창구는 2,000원입니다. 앱은 1,000원입니다.", None),
        ("며칠 걸려요?", "창구에서 바꿉니다.", None),
        ("금리는?", "한도는 연소득의 40% 이내입니다 (스트레스 금리 가산).", None),
        ("24개월 금리는?", "기간은 12개월이나 24개월이고 이자는 만기에 드립니다.", None),
        ("반대로는?", "도장은 창구에서 바꿉니다.", None),
        ("며칠 걸려요?", "3영업일 안에 됩니다. 6개월 이내 연체가 있는 경우 제한됩니다.", "3영업일 안에 됩니다."),
        ("며칠 걸려요?", "도장의 유효기간은 30일입니다.", None),
        ("언제까지요?", "기한은 6월 30일까지입니다. 한도는 30만원입니다.", "기한은 6월 30일까지입니다."),
        ("얼마예요?", "한도는 30만원입니다.", None),
        ("창구 가면요?", "앱에서 바꿉니다. 창구에서는 신분증이 필요합니다.", "창구에서는 신분증이 필요합니다."),
        ("전화로 돼요?", "앱에서 바꿉니다. 고객센터에서는 되지 않습니다.", "고객센터에서는 되지 않습니다."),
        ("전화로 돼요?", "앱에서 바꿉니다.", None),
        ("지점 안 가도 돼요?", "지점에서 바꿉니다. 지점 방문은 필요 없습니다.", "지점 방문은 필요 없습니다."),
        ("70세는요?", "만 65세 이상은 면제됩니다. 만 19세 미만은 안 됩니다.", "만 65세 이상은 면제됩니다."),
        ("기한 지나면요?", "기한은 3일입니다. 기한이 지난 신청은 취소됩니다.", "기한이 지난 신청은 취소됩니다."),
        ("도장은 어떻게 바꿔요?", "도장은 창구에서 바꿉니다.", None),
        ("너 몇 살이야?", "만 19세 이상 고객이 바꾸실 수 있습니다.", None),
        ("언제까지 써요?", "신분증 확인 후 2,000원에 바꿉니다.", None),
        ("며칠 걸려요?", "만료일 30일 전부터 바꾸실 수 있습니다.", None),
    ],
)
def test_a_value_asked_for_by_itself_is_answered_by_the_one_sentence_that_states_it(
    message: str, text: str, sentence: str | None
) -> None:
    told = answered_again(message, text)
    assert (told and told.note and told.note.values["sentence"]) == sentence


def test_nothing_is_said_of_the_row_before_where_it_holds_some_of_the_words() -> None:
    found = other_than_shown(verdict(LIMIT, FEE), verdict(TAX, top=-3.0), ["r0"], ("데이터", "한도"))
    assert (found.status, found.note, rows(found.nodes)[0]) == ("suggested", None, "r0")


def test_words_of_another_world_are_declined_unless_the_message_leans_on_the_row_before() -> None:
    words = ("베트남", "여행지")
    alone = verdict(TAX, top=-3.0)
    declined = other_than_shown(verdict(LIMIT, FEE), alone, ["r0"], words, depends=False)
    assert (declined.status, declined.nodes, declined.reason) == ("declined", (), alone.reason)
    assert other_than_shown(verdict(LIMIT, FEE), alone, ["r0"], words).status == "suggested"
    open_ = verdict(TAX, top=1.0)
    assert other_than_shown(verdict(LIMIT, FEE), open_, ["r0"], words, depends=False).status == "suggested"


def test_what_an_answer_quotes_is_what_was_given() -> None:
    turn = Turn("한도", "가은행\n답변 [1]\n\n나은행\n답변 [3]", "answered", ("r0", "r1", "r2"))
    assert cited_rows(turn) == ("r0", "r2")
    assert cited_rows(Turn("한도", "", "answered", ("r0", "r1"))) == ("r0",)
    assert shown_before(verdict("x", "y"), [turn]) == ("r0", "r2")
    other = Turn("한도", "답변 [2]", "answered", ("r1", "r0"))
    assert shown_before(verdict("x"), [other]) == ("r0",) and not shown_before(verdict("x"), [Turn("한도")])


def test_what_was_offered_may_be_answered_where_it_holds_the_message() -> None:
    offered = [Turn("이체", "골라 주세요", "suggested", ("r0", "r1"))]
    found = verdict(LIMIT)
    assert found.status == "answered"
    assert shown_before(found, offered, ("한도",)) == ()
    assert shown_before(found, offered, ("데이터", "한도")) == ("r0", "r1")
    assert shown_before(verdict(LIMIT, top=1.0), offered, ("한도",)) == ("r0", "r1"), "it is offered once more"


@pytest.mark.parametrize(
    ("word", "question", "quoted"),
    [
        ("가족카드", "가족카드 언제 와요", "가족카드"),
        ("준비 서", "준비 서류가 뭐예요", None),
        ("해지", "자동이체를 없애고 싶어요", None),
        ("문자로", "명세서 문자로 받을래요", "문자"),
        ("돌려받", "보증금 돌려받고 싶어요", None),
        ("10년", "10년짜리 적금", "10년"),
        ("2만키로", "2만키로 탔는데 환급", "2만키로"),
        ("3만킬로", "3만킬로 탄 차", "3만킬로"),
        ("세 장", "카드 세 장 만들래요", "세 장"),
        ("외화통장 새로 만들려면 뭐 내요", "외화통장 새로 만들려면 뭐 내요", None),
        ("펀드, 잠가", "펀드 계좌 잠가두려고요", "펀드"),
        ("통장 찢어", "통장 찢어졌고요", None),
        ("종료", "알림 끄는 법", None),
        ("해제", "잠금 풀어 주세요", None),
    ],
)
def test_a_note_quotes_what_a_customer_typed_whole(word: str, question: str, quoted: str | None) -> None:
    note = in_the_customers_words(Note("not_held", {"word": word}), question)
    assert (note and note.values["word"]) == quoted


def test_of_two_readings_a_row_that_is_far_from_the_question_comes_last() -> None:
    near, far = verdict(LIMIT, FEE), verdict(TAX, top=-9.0)
    far = replace(
        far,
        ranked=tuple(
            hit.model_copy(update={"node": hit.node.model_copy(update={"id_": "far", "relationships": {}})})
            for hit in far.ranked
        ),
    )
    merged = merge_as_suggestions(replace(near, status="suggested"), far)
    assert rows(merged.nodes)[:2] == ["r0", "r1"]
