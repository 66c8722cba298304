"""What was typed in the other keyboard mode is read as it was meant."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from rag.chat import ChatService
from rag.conversation.keyboard_modes import MAY_BE_MISTYPED, in_the_other_mode
from rag.types import Turn
from tests.lexical_chat import lexical_chat


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dusghlql djfak", "연회비 얼마"),
        ("cpzmzkem 해지", "체크카드 해지"),
        ("qhgjafy skqdlqdlf qkRnrl", "보험료 납입일 바꾸기"),
        ("wjstpeocnf dmadkghk", "전세대출 음아화"),  # a slip stays one
        ("XHDWKD 만들기", "통장 만들기"),  # with caps lock on
        ("Rhr Qkwls xhdwkd", "꼭 빠진 통장"),
        ("OTP qnstlf", "OTP 분실"),
        ("djEjgrp go", "어떻게 해"),
        ("dkssudgktpdy", "안녕하세요"),
        ("ㅐ세를 잃어버렸어요", "otp를 잃어버렸어요"),
        ("ㅊㅁㄱㅇ ㅣㅐㄴㅅ", "card lost"),
        ("모바일ㅐ세 등록", "모바일otp 등록"),
        ("ㅑㄴㅁ 한도", "isa 한도"),
    ],
)
def test_a_word_in_the_other_mode_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert MAY_BE_MISTYPED.search(typed)
    assert in_the_other_mode(typed) == meant
    assert in_the_other_mode(meant) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "with fish",
        "visit the world with my disk",
        "forgot my account password",
        "OTP 분실",
        "HTS 설치하고 ISA 가입",
        "안돼ㅠㅠ ㅋㅋㅋ 왜 이럼 ㅡㅡ",
        "ㄱㅅㄱㅅ",
        "ㅇㅇ 그거요 ㅎㅎ",
        "ㅂㄱㅂㄱ",
        "SaenaraeON 앱이 멈춰요",
    ],
)
def test_other_words_stay(typed: str) -> None:
    assert in_the_other_mode(typed) == typed


@pytest.mark.parametrize("repeated", ["ㅋ", "ㅠ", "ㅊㅁㄱㅇ", "가ㅋ"])
def test_the_work_grows_with_the_length_of_a_message(repeated: str) -> None:
    """A message of one letter repeated a thousand times once took a minute, in which nobody else was answered."""
    in_the_other_mode("ㅋ")  # reads the words
    short, long = (calls_of(partial(in_the_other_mode, (repeated * size)[:size])) for size in (250, 1000))
    assert long < 6 * short


def calls_of(work: Callable[[], object]) -> int:
    """The number of function calls that `work` makes, built-in functions included."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def test_each_syllable_is_made_by_its_keys() -> None:
    """The keys' order is Unicode's, for every syllable that two-set typing can end a word with."""
    keys = {}
    letters = dict(zip("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", "rRseEfaqQtTdwWczxvg", strict=True))
    letters |= dict(zip("ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅛㅜㅠㅡㅣ", "koiOjpuPhynbml", strict=True))
    letters |= {"ㅘ": "hk", "ㅙ": "ho", "ㅚ": "hl", "ㅝ": "nj", "ㅞ": "np", "ㅟ": "nl", "ㅢ": "ml"}
    letters |= {
        "ㄳ": "rt",
        "ㄵ": "sw",
        "ㄶ": "sg",
        "ㄺ": "fr",
        "ㄻ": "fa",
        "ㄼ": "fq",
        "ㄽ": "ft",
        "ㄾ": "fx",
        "ㄿ": "fv",
    }
    letters |= {"ㅀ": "fg", "ㅄ": "qt"}
    for code in range(ord("가"), ord("힣") + 1):
        jamo = unicodedata.normalize("NFD", chr(code))
        keys[chr(code)] = "".join(letters[_alone(each)] for each in jamo)
    read = {syllable: in_the_other_mode(f"zkem{typed}") for syllable, typed in keys.items()}
    assert {syllable: text for syllable, text in read.items() if text != f"카드{syllable}"} == {}


def _alone(jamo: str) -> str:
    """The letter that stands alone, of one that is part of a syllable: both end in the same name."""
    name = unicodedata.name(jamo).removeprefix("HANGUL ").split(" ", 1)[1]
    return unicodedata.lookup(f"HANGUL LETTER {name}")


FAQ = """question,answer,category
체크카드를 분실하면 어떻게 신고하나요?,고객센터에 신고하시면 카드가 바로 정지됩니다.,카드
전세대출 연장은 언제 신청하나요?,만기 한 달 전부터 신청하실 수 있습니다.,대출
이체한도를 올리려면 어떻게 하나요?,앱의 이체 메뉴에서 신청합니다.,이체
이체한도는 얼마인가요?,하루 1억원까지 이체하실 수 있습니다.,이체
주소를 변경하려면 어떻게 하나요?,앱의 내 정보에서 바꿉니다.,정보
OTP를 등록하려면 어떻게 하나요?,앱의 인증 메뉴에서 등록합니다.,인증
"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatService:
    return lexical_chat(tmp_path_factory.mktemp("keyboard"), FAQ)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cpzmzkem qnstlf", "체크카드 분실"),
        ("dlcpgkseh dhfflrl", "이체한도 올리기"),
        ("ㅐ세 등록", "OTP 등록"),
        ("dkssudgktpdy", "안녕하세요"),  # a greeting
        ("wntlr cncjsgowj", "주식 추천해저"),
    ],
)
def test_a_question_in_the_other_mode_has_the_outcome_of_the_one_meant(
    chat: ChatService, typed: str, meant: str
) -> None:
    found, expected = chat.ask(typed), chat.ask(meant)
    assert (found.status, found.reason, found.text) == (expected.status, expected.reason, expected.text)


def test_a_follow_up_and_what_it_follows_may_be_in_either_mode(chat: ChatService) -> None:
    first = chat.ask("이체한도 올리기")
    outcomes = set()
    for earlier in ("이체한도 올리기", "dlcpgkseh dhfflrl"):
        for message in ("얼마까지?", "djfakRkwl?"):
            history = [Turn(earlier, first.text, first.status, tuple(each.id for each in first.sources))]
            answer = chat.ask(message, history)
            outcomes.add((answer.status, tuple(each.question for each in answer.sources)))
    [(status, questions)] = outcomes
    assert status != "declined" and "이체한도는 얼마인가요?" in questions
