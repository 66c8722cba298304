"""Institutions in questions: everyday names, an index's own, negation, and words that only look like names."""

from __future__ import annotations

import pytest

from rag.constraints import InstitutionMention
from rag.constraints.everyday_values import values_of
from rag.constraints.institution_list import known_institutions
from rag.constraints.institutions import InstitutionNames


def find_institutions(text: str, held: dict[str, list[str]]) -> list[InstitutionMention]:
    return InstitutionNames(held).find(text)


REAL: dict[str, list[str]] = {
    name: []
    for name in (
        "KB국민은행",
        "NH농협은행",
        "IBK기업은행",
        "SC제일은행",
        "대구은행",
        "삼성카드",
        "현대카드",
        "가나은행",
    )
}
OWN: dict[str, list[str]] = {"새나래은행": [], "도담저축은행": ["도담이"], "미르누리증권": []}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("농협은행 OTP 등록하려면 어떻게 하나요", "NH농협은행"),
        ("농협 통장 재발급", "NH농협은행"),
        ("국민은행 이체한도", "KB국민은행"),
        ("KB 국민은행 앱", "KB국민은행"),
        ("기업은행에서 대출", "IBK기업은행"),
        ("제일은행은요?", "SC제일은행"),
        ("대구은행 위치", "대구은행"),
        ("iM뱅크 앱", "대구은행"),
        ("삼성카드 분실", "삼성카드"),
        ("가나은행 수수료", "가나은행"),
        ("국민 OTP 등록", "KB국민은행"),
        ("삼성페이 등록", "삼성페이"),
        ("대구 지점 위치", None),
        ("현대자동차 할부", None),
        ("현대 자동차 할부", None),
        ("제일 금리 높은 예금", None),
        ("하나 통장 만들려고요", None),
        ("수수료 얼마가 나오나요", None),
        ("우리 집 담보로", None),
        ("하나만 알려줘", None),
        ("기업 대출 서류", None),
        ("국민연금 수령 계좌", None),
        ("제일 싼 수수료", None),
        ("현대인의 저축", None),
    ],
)
def test_real_names(text: str, name: str | None) -> None:
    assert [mention.name for mention in find_institutions(text, REAL)] == ([] if name is None else [name])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("새나래 이체한도", ["새나래은행"]),
        ("새나래끼리 송금", ["새나래은행"]),
        ("새나래간편비번까먹었는데", ["새나래은행"]),
        ("도담정기예금만기전에앱으로깨려면", ["도담저축은행"]),
        ("도담저축 금리", ["도담저축은행"]),
        ("도담은요?", ["도담저축은행"]),
        ("도담이 앱", ["도담저축은행"]),
        ("컴퓨터에있는공동인증서도담뱅크앱으로옮기려면", ["도담저축은행"]),
        ("도담도담 키우는", []),
        ("폰새로샀는데도담앱에어떻게들어가요", ["도담저축은행"]),
        ("도담이라면서대출해준다고전화왔는데", ["도담저축은행"]),
        ("아 도담이었어요", ["도담저축은행"]),
        ("참 도담이었네", ["도담저축은행"]),
        ("미르누리M 실행", ["미르누리증권"]),
        ("새나래은행이랑 도담저축은행 중에", ["새나래은행", "도담저축은행"]),
        ("카뱅 한도", ["카카오뱅크"]),
        ("토뱅이랑 케뱅", ["토스뱅크", "케이뱅크"]),
        ("신한 이체한도 증액", ["신한은행"]),
        ("하나 물어볼게요", []),
        ("신한 카드 분실", ["신한카드"]),
        ("KB 증권 계좌", ["KB증권"]),
        ("우리 카드 하나 더", []),
    ],
)
def test_an_indexs_invented_names(text: str, names: list[str]) -> None:
    assert [mention.name for mention in find_institutions(text, OWN)] == names


def test_no_known_name_is_an_amount_or_a_rate() -> None:
    # "연체이자 8퍼센트 맞나요" asks no institution.
    names = [name for first, _, aliases in known_institutions() for name in (first, *aliases)]
    assert len(names) > 500
    assert not [name for name in names if any(each.dimension != "number" for each in values_of(name))]


def test_held_or_only_known() -> None:
    assert [mention.held for mention in find_institutions("카카오뱅크 말고 도담", OWN)] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "도담 말고 새나래 OTP 등록",
        "도담저축은행이 아니라 새나래은행 OTP",
        "도담 빼고 새나래",
        "도담은 아니고 새나래",
        "도담 제외하고 새나래",
    ],
)
def test_negation(text: str) -> None:
    assert {mention.name: mention.negated for mention in find_institutions(text, OWN)} == {
        "도담저축은행": True,
        "새나래은행": False,
    }


@pytest.mark.parametrize(
    "text",
    [
        "카카오뱅크로 이체하면",
        "카카오뱅크 계좌로 잘못 보냈어요",
        "카카오뱅크에서 발급받은 인증서",
        "카카오뱅크에 있는 돈을",
    ],
)
def test_where_money_goes_is_not_who_is_asked(text: str) -> None:
    assert [mention.counterpart for mention in find_institutions(text, OWN)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "하나은행 통장으로 연금 받고 싶은데요",
        "케뱅에서 카뱅으로 출금계좌 바꿔주세요",
        "보험료 나가는 통장을 농협은행으로 변경",
        "국민은행 계좌에서 보험료가 두 번 빠졌어요",
        "신한카드로 보험료 낼 수 있나요",
        "토스뱅크에서 제 통장으로 보낸 게 안 들어와요",
    ],
)
def test_of_another_house_an_account_or_card_is_not_who_is_asked(text: str) -> None:
    mentions = find_institutions(text, {"별솔생명": []})
    assert mentions and all(mention.counterpart for mention in mentions)


@pytest.mark.parametrize(
    "text", ["카카오뱅크 계좌 개설", "케이뱅크에서 이체하려면", "신한카드 한도", "국민은행 통장 재발급"]
)
def test_whose_account_or_card_it_is_is_asked(text: str) -> None:
    assert [mention.counterpart for mention in find_institutions(text, {"별솔생명": []})] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "보험증권 다시 뽑아주세요",
        "예탁증권 담보대출",
        "수익증권 환매",
        "지분증권 양도",
        "주택화재 보상",
        "전기차화재도 되나요",
    ],
)
def test_a_product_that_ends_like_a_house_is_none(text: str) -> None:
    assert find_institutions(text, {"별솔생명": []}) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("별솔손해보험", "별솔손보 긴급출동"),
        ("별솔생명", "별솔생보 수익자"),
        ("별솔생명", "별솔생명보험 해지"),
        ("별솔화재", "별솔화재보험 청구"),
    ],
)
def test_an_insurer_of_the_index_goes_by_the_short_form_of_its_kind(name: str, text: str) -> None:
    assert [(m.name, m.held) for m in find_institutions(text, {name: []})] == [(name, True)]


def test_a_group_whose_name_is_nothing_else_is_known_alone() -> None:
    assert [m.name for m in find_institutions("메리츠 수술비 얼마", {"별솔생명": []})] == ["메리츠"]
    assert [m.name for m in find_institutions("흥국은 며칠 걸려요", {"별솔생명": []})] == ["흥국"]
    assert [m.name for m in find_institutions("메리츠 수술비 얼마", {"메리츠화재": []})] == ["메리츠화재"]


def test_a_shared_short_name_counts_only_whole() -> None:
    names: dict[str, list[str]] = {"하늘빛은행": [], "하늘빛증권": [], "한별카드": []}
    assert find_institutions("하늘빛 계좌", names) == []
    assert [mention.name for mention in find_institutions("하늘빛증권 계좌", names)] == ["하늘빛증권"]
    assert [mention.name for mention in find_institutions("한별 카드 분실", names)] == ["한별카드"]


def test_the_list_is_large_and_each_name_finds_itself() -> None:
    names = InstitutionNames()
    known = known_institutions()
    assert len(known) >= 120
    assert len({name for name, _, _ in known}) == len(known)
    lost = [
        alias
        for name, _, aliases in known
        for alias in (name, *aliases)
        if [m.name for m in names.find(alias)] != [name]
    ]
    assert lost == []


def test_offsets_point_into_the_text() -> None:
    text = "ＫＢ국민은행이랑 카카오 뱅크"
    for mention in find_institutions(text, REAL):
        assert text[mention.start : mention.end] == mention.text


@pytest.mark.parametrize(
    "text",
    [
        "한결은행 OTP 분실",
        "나눔증권 수수료 얼마예요",
        "푸른솔저축은행에서 통장 만들려면",
        "별솔페이 포인트 유효기간",
        "두메새마을금고 출자금 얼마",
        "참샘신협은 금리 몇 프로예요",
        "물결수협 예탁금 비과세",
        "솔잎손보 보험료 언제 빠져요",
        "누리뱅크 이체 한도",
    ],
)
def test_a_name_that_no_list_holds_is_told_by_its_kind(text: str) -> None:
    (mention,) = find_institutions(text, {"가온은행": []})
    assert (mention.kind, mention.held) == ("unlisted", False)
    assert text.startswith(mention.name)


@pytest.mark.parametrize(
    "text",
    [
        "가까운 은행 어디예요",
        "다른은행으로 이체",
        "저축은행이 뭐예요",
        "주거래은행 바꾸기",
        "타은행 OTP 등록",
        "거래외국환은행 지정",
        "비상장증권",
        "다른신협으로 옮기려면",
        "가까운새마을금고 어디예요",
        "모바일뱅크 로그인",
        "간편페이 등록",
        "가온페이에 카드 등록",
        "중계은행 수수료는 누가 내요",
        "신용장 통지은행 변경",
        "월급은행 바꾸려고요",
        "수표 발행은행에 신고",
        "더치페이 하는 법",
        "주가연계증권 만기",
        "보증보험증권 재발급",
    ],
)
def test_a_kind_behind_a_common_word_is_no_name(text: str) -> None:
    assert find_institutions(text, {"가온은행": []}) == []


@pytest.mark.parametrize("text", ["참샘 조합원 탈퇴", "참샘신협 출자금", "신협 출자금"])
def test_a_cooperative_goes_by_its_name_without_the_kind(text: str) -> None:
    (mention,) = find_institutions(text, {"참샘신협": []})
    assert (mention.name, mention.held) == ("참샘신협", True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("한화 실손 청구 서류", "한화"),
        ("카카오 적금 금리 얼마예요", "카카오"),
        ("네이버페이 체크카드 한도", "네이버페이"),
        ("토스에서 통장 만들려면?", "토스"),
        ("토스 정기예금 깨려면", "토스"),
        ("미래에셋 연금저축 한도", "미래에셋"),
        ("samsung 적금 금리", "samsung"),
        ("국민 적금 금리", "KB국민은행"),
        ("국민 통장 재발급", "KB국민은행"),
        ("국민 실손 청구", "국민"),
        ("롯데 멤버십 등급", "롯데"),
        ("삼성 iD카드 연회비", "삼성"),
        ("네이버 포인트 유효기간", "네이버"),
    ],
)
def test_a_group_before_a_product_is_the_house(text: str, name: str) -> None:
    [mention] = find_institutions(text, OWN)
    assert (mention.name, mention.held, mention.counterpart) == (name, False, False)


@pytest.mark.parametrize(
    "text",
    [
        *("현대 자동차 할부", "국민연금 수령 계좌", "삼성 주식 사려면", "토스에서 대출 비교했는데 그 다음은요"),
        *("국민주택 청약 자격", "주택청약종합저축 가입 조건", "내일 적금 넣어도 되나요", "행복 통장이 뭐예요"),
        *("롯데 백화점 포인트", "네이버 포인트로 바꿀 수 있나요", "현대 백화점 적립"),
    ],
)
def test_a_group_before_anything_else_is_none(text: str) -> None:
    assert not [mention for mention in find_institutions(text, OWN) if mention.kind == "unlisted"]


@pytest.mark.parametrize("text", ["하나카득 결제일", "우리은헹 영업시간"])
def test_a_mistyped_kind_names_the_house_too(text: str) -> None:
    assert [mention.held for mention in find_institutions(text, OWN)] == [False]


def test_a_cooperative_goes_by_its_kind() -> None:
    [mention] = InstitutionNames({"푸른신협": []}).find("신협 탈퇴하려면")
    assert (mention.name, mention.held) == ("푸른신협", True)
    [mention] = InstitutionNames({"푸른신협": [], "맑은신협": []}).find("신협 탈퇴하려면")
    assert not mention.held


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("세나래은행 통장 재발급", "새나래은행"),
        ("새나레은행 점심시간", "새나래은행"),
        ("세나래 은행 앱 오류", "새나래은행"),
        ("도탐저축은행에서 적금", "도담저축은행"),
        ("도담저죽은행 적금", "도담저축은행"),
        ("미르누라증권 계좌개설", "미르누리증권"),
        ("미르누증권 계좌개설", None),  # a syllable less
        ("세나레은행 통장", None),  # two letters
        ("다른은행 통장", None),
    ],
)
def test_a_name_of_the_index_with_one_wrong_letter_is_that_one(text: str, name: str | None) -> None:
    found = find_institutions(text, OWN)
    assert [mention.name for mention in found if mention.held] == ([name] if name else [])


@pytest.mark.parametrize(
    ("text", "held", "name"),
    [
        # Known names are never mistyped ones, nor is a name between two of the index's.
        ("하나은행 대출", {"하냐은행": []}, "하나은행"),
        ("신한은행 대출", {"신안은행": []}, "신한은행"),
        ("우리은행 대출", {"우라은행": []}, "우리은행"),
        ("가람은행 대출", {"가란은행": [], "가랑은행": []}, "가람은행"),
        ("다른은행 대출", {"다륜은행": []}, None),
    ],
)
def test_a_known_or_doubtful_name_is_not_read_as_one_of_the_indexs(
    text: str, held: dict[str, list[str]], name: str | None
) -> None:
    assert [(mention.name, mention.held) for mention in find_institutions(text, held)] == (
        [(name, False)] if name else []
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("웰컴론 연체하면", "웰컴론"),
        ("러쉬앤캐시 상환", "러시앤캐시"),
        ("도요타파이낸셜 할부 잔액", "토요타파이낸셜서비스"),
        ("벤츠 파이낸셜 리스 승계", "메르세데스벤츠파이낸셜서비스"),
        ("롯데렌트카 반납", "롯데렌탈"),
        ("K카 할부 금리", "케이카"),
        ("현대캐피털 중도상환", "현대캐피탈"),
        ("씨티 카드 분실", "씨티카드"),
        ("씨티 통장 해지", "한국씨티은행"),
        ("주금공 전세보증", "한국주택금융공사"),
        ("푸조파이낸셜 연체", "푸조파이낸셜"),
    ],
)
def test_lenders_car_financiers_and_guarantors_are_known(text: str, name: str) -> None:
    assert [mention.name for mention in find_institutions(text, {"별솔캐피탈": []})] == [name]


@pytest.mark.parametrize(
    "text", ["벤츠 할부 되나요", "bmw 리스 만기", "렌터카 사고", "장기렌트카 반납", "중고차 캐피탈 이자"]
)
def test_a_make_of_car_or_a_trade_is_no_financier(text: str) -> None:
    assert find_institutions(text, {"별솔캐피탈": []}) == []


@pytest.mark.parametrize(
    ("text", "held", "names"),
    [
        ("우리 은행 점심시간 언제예요", OWN, []),
        ("엄마가 대신 증권계좌 열어줄 수 있어요?", OWN, []),
        ("아빠 대신 저축은행 가도 돼요", OWN, []),
        ("대신 증권 수수료", OWN, ["대신증권"]),
        ("우리 저축은행 금리", OWN, []),
        ("우리은행 점심시간 언제예요", OWN, ["우리은행"]),
        ("우리 은행 점심시간", {"우리은행": []}, ["우리은행"]),
        ("하나 은행 점심시간", OWN, ["하나은행"]),
    ],
)
def test_our_bank_is_that_name_only_where_it_is_written_so_or_held(
    text: str, held: dict[str, list[str]], names: list[str]
) -> None:
    assert [mention.name for mention in find_institutions(text, held)] == names


@pytest.mark.parametrize(
    ("text", "held", "name"),
    [
        ("KB 장기렌트 반납", OWN, "KB"),
        ("신한 실비 청구", OWN, "신한"),
        ("KB 통장 재발급", OWN, "KB국민은행"),
        ("국민은행 오토론 한도", OWN, "KB국민은행"),
        ("KB 오토론 한도", {"KB국민은행": []}, "KB국민은행"),
    ],
)
def test_a_banks_short_name_before_another_trades_product_is_its_group(
    text: str, held: dict[str, list[str]], name: str
) -> None:
    assert [mention.name for mention in find_institutions(text, held)] == [name]


@pytest.mark.parametrize(
    ("text", "is_counterpart"),
    [
        ("키움증권 연금저축 미르누리로 이전하려면", True),
        ("케뱅 대출 도담저축은행으로 대환하고 싶어요", True),
        ("하나증권에 있던 주식을 미르누리증권 계좌로 옮기려면", True),
        ("케뱅 대출 금리 낮은 걸로 갈아타기", False),
        ("도담에서 쓰던 대출 케뱅 상품으로 바꾸려면 뭐가 필요해요", False),
    ],
)
def test_what_is_moved_to_an_institution_of_the_index_only_comes_from_another(text: str, is_counterpart: bool) -> None:
    others = [mention.counterpart for mention in find_institutions(text, OWN) if not mention.held]
    assert others == [is_counterpart]


@pytest.mark.parametrize(
    "text", ["엔카에서 산 차 할부 한도", "쿠팡에서 구매한 세탁기 할부", "네이버에서 주문한 가구 할부"]
)
def test_where_something_was_bought_is_not_who_is_asked(text: str) -> None:
    assert all(mention.counterpart for mention in find_institutions(text, {"별솔캐피탈": []}))


@pytest.mark.parametrize("text", ["엔카에서 할부 한도", "토스에서 통장 만들려면"])
def test_where_something_is_done_is_who_is_asked(text: str) -> None:
    assert [mention.counterpart for mention in find_institutions(text, {"별솔캐피탈": []})] == [False]


@pytest.mark.parametrize(
    "text",
    ["DB에서 DC로 옮기려면 누구한테 말해요", "db에서 퇴직금 계산은요", "확정급여형 DB에서 확정기여형으로 바꾸기"],
)
def test_db_beside_a_word_for_a_pension_is_a_plan(text: str) -> None:
    assert find_institutions(text, {"별솔증권": []}) == []


@pytest.mark.parametrize("text", ["DB에서 자동차보험 들었는데요", "DB손해보험에서 DC로 옮기면요"])
def test_db_is_a_group_elsewhere(text: str) -> None:
    assert len(find_institutions(text, {"별솔증권": []})) == 1
