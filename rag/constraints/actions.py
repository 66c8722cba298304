"""Is a row about another action than a question: another verb, object or direction, or ending something instead of beginning it?

No list contains all words for an action, so a row without the asked word may still answer. What shows that it does not:

- A question that ends in a verbal noun uses the bank's own word: the row must contain it or another word for it.
- If both name an action, the noun before it is the object ("보험증권 재발급"), also of native verbs ("주소 바꾸고").
- "디지털OTP에서 보안카드로" is the reverse of "보안카드에서 디지털OTP로".
- A row must say in its question or steps how to resume what has ended, how to undo something, or how to begin something.
- A row on issuing a certificate answers only questions about documents, although it names what the certificate is for.

The words are data (compounds.toml, verbal_nouns.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache

from rag.constraints.compounds import compound_words, is_bare_noun, is_no_kind, is_same_member, usual_word
from rag.constraints.contrasts import members_of
from rag.constraints.directions import MAY_CHANGE, is_reversed, other_target, target_of
from rag.constraints.requested_verbs import MAY_REQUEST, is_opposite, lacks_request
from rag.constraints.synonyms import Synonyms, holds_name, other_names
from rag.data_files import read_toml
from rag.korean import compact, tokens

_FORM = r"(?:을|를|은|는|이|가|도|하[가-힣]*|할[가-힣]*|합[가-힣]*|되[가-힣]*|돼[가-힣]*|받[가-힣]*|시[가-힣]*|해[가-힣]*|요)"
_INSTEAD = re.compile(
    r"(?P<this>[0-9A-Za-z가-힣]{2,10})\s?(?:말고|아니라|아니고)\s+(?P<that>딴(?=\s)|[A-Za-z가-힣]{2,10})"
)
_OTHER_ONES = ("다른", "딴", "나머지", "그외")
"""Follows what a customer does not ask about: "우대형통장 말고 다른 통장"."""
_STORY = re.compile(r"하고(?!\s?싶)|해서|했|한|된|됐|되어|돼서|하니|하다|하던|해도")
_NOTHING_MORE = re.compile(
    r"(?:\s*(?:어떻게|방법|법|하나요|해요|하려면|하고|싶어요|싶은데요?|되나요|돼요|되요|가능해?요?|가능한가요|알려\S*|좀|수|있나요|있어요"
    r"|있을까요|언제\S*|얼마\S*|어디\S*|뭐\S*|무엇\S*|무슨|서류\S*|조건\S*|자격\S*|절차\S*|기간\S*|시간\S*|기한\S*|한도\S*|수수료\S*|비용\S*"
    r"|메뉴\S*|신청\S*|하는|할|하는데|하려는데|하려고\S*|하면|되면|며칠\S*|몇\S*|까지|부터|궁금\S*|주세요|주실|줘\S*|안내\S*|문의\S*|필요\S*"
    r"|해야|하죠|지금|바로|요|되는|되는지|되죠|하러|합니다|합니까|경로|화면|페이지|곳|데|순서|건가요|거예요|건데|거|있는|있는지|할래요|할게요"
    r"|부탁\S*)|[?？!.,~\s])*$"
)
"""Words that may follow the final verbal noun of a question: question words, polite forms, aspects."""
_DOCUMENT = re.compile(r"[증명인단고구약격계식지]서$")
"""Endings of nouns for documents, which look like verb forms ("해서")."""
_NO_NOUN = re.compile(
    r"(?:에서|으로|이랑|하고|까지|부터|려고|에게|한테"
    r"|[은는이가의로만랑과와요고면데서게지며던한할된될인어아해줘시때거것든야죠네나까니둔안여건간들후중마다당채려듯에기렇])$"
)
_NO_OBJECT = re.compile(r"(?:[것거걸게][을를은는이도]?|도록|던)$")
"""Ends a phrase in place of an object: "이런 것도 보상되나", "못하도록 차단"."""
_CERTIFICATE = re.compile(
    r"(?P<certificate>[가-힣]*(?:증명서|영수증|확인서|증명원|확인원|증빙자료|통장사본|잔액증명))(?:\([^)]*\))?[을를은는이가의]?\s?"
    r"(?:[가-힣]{2,5}(?:으로|에서)\s?)?(?:어디에서|어디서|어떻게|언제부터)?[^?]{0,12}?(?:발급|출력)"
)
_ASKS_DOCUMENT = re.compile(
    r"증명|영수증|확인[서원]|서류|발급|떼|뗄|뗀|띠|뽑|출력|인쇄|프린트|자료|제출|사본|내역|증빙|명세|pdf|파일|필요|원천징수|간소화|소명|조회"
    r"|안\s?[떠뜨나보]|[가-힣]서(?![가-힣])",
    re.IGNORECASE,
)
_UNDO_NAME = "취소"
_WITHDRAWALS = "해지|탈퇴|탈회|해제|철회|반납|폐기|정지|중지|거절"
_ENDINGS = re.compile(
    r"취소|철회|취하|해제|해지|해약|삭제|말소|폐기|폐쇄|파기|중단|중지|종료|탈퇴|탈회|회수|반납|반환|거절|거부|제외|끊|없애|없앨|지우|지워"
    r"|빼|뺄|풀|끄|그만|되돌|돌려|도로\s|안\s?(?:하고|쓰고|받고|쓸|할|하려|쓰려|받으려)|필요\s?(?:가\s?)?없"
)
"""Words of a question about ending something, in which a verb for beginning does not count."""
_STOPPED = (
    r"(?:(?:(?:멈[춘춰]|막[은아]|[꺼닫숨]겨?|중단해)\s?(?:둔|놓은|놨|놓았|뒀)|멈춘|숨긴|지운|삭제한|중단한|쉬던|낮춘|줄인|내린)"
    r"(?:\s|걸|거|것|는데|더니))"
)
_AGAIN = re.compile(
    r"(?:해지|해약|탈퇴|탈회|중지|정지|해제|유예|취소|폐쇄|말소|철회|휴면|거절|실효)\S{0,4}"
    r".{0,20}?(?:다시|도로|재개|되살|살리|살릴|돌아가|원래(?!\s?(?:이자|이율|금리|약정|한도|수수료|보험료))|복구|부활)"
    rf"|{_STOPPED}.{{0,20}}?(?:다시|도로|원래|복구|되살|재개)"
    r"|(?:바꿔|전환해|변경해|설정해|돌려)\s?(?:놨|놓았|놓은|뒀|두었|둔).{0,14}?(?:다시|도로|원래)\S{0,3}\s.{0,10}?(?:돌려|되돌|돌아|복구)"
    r"|다시\s?(?:시작|재개|가입|회원|내고|내려|낼|켜|살리)|재개|재가입|돌아가고\s?싶"
)
_BEGINS_AGAIN = re.compile(
    r"다시|재개|재가입|재신청|재등록|재사용|재발급|재설정|부활|복구|되살|살리|되돌|해제|복원|원상|회복"
)
_UNDO_ENDING = re.compile(
    rf"(?:{_WITHDRAWALS}|환매)\s?(?:신청|요청|접수|처리)?\s?"
    r"(?:한\s?(?:거|것|걸|건)|했는데|했던\s?(?:거|것)|을|를)?\s?(?:다시\s|도로\s)?(?:취소|철회|번복|무르|무를|물리|없던|되돌)(?!\s?(?:수수료|불가))"
)
_UNDOES_ENDING = re.compile(
    rf"(?:{_WITHDRAWALS}|취소|환매)\s?(?:신청|요청|접수)?\s?(?:을|를|은|는|의)?\s?(?:취소|철회|번복)"
    r"|신청\s?(?:을|를|은|는)?\s?(?:취소|철회)|되돌|복구|부활|다시"
)
_UNDO = re.compile(
    r"(?:한|했던|낸|넣은|보낸|바꾼|신청된)\s?(?:거|것|걸|건)\S{0,2}\s?(?:\S{1,4}\s)?(?:돌려\s?받|되돌|환불|무르|무를|물리|물릴|취소|철회)"
)
_UNDOES = re.compile(r"취소|철회|환불|반환|돌려|환급|되돌|해제|해지|복원|정정|반품|퇴결")
_CANCELLED_IN_TIME = re.compile(r"(?:^|(?<=[,.\n]))[^,.\n]*(?:까지|전에|당일)(?:는|만|에|에만)?\s?취소[^,.\n]*")
"""Matches until when a single order can be cancelled ("입금 30분 전까지 취소할 수 있습니다"), which ends no service."""
_CANCELS = re.compile(r"취소|철회|무르|무를|물러|물리|물릴|캔슬|없던")
_REQUESTED = re.compile(
    r"(?P<noun>[가-힣A-Za-z]{2,12}?)[을를]?\s?(?:(?:변경|등록|전환|발급|추가)\s?)?(?:신청|청구|접수|요청)[을를]?\s?"
    r"(?:한\s?[거건걸것]|했던|했는데|넣었|넣은|잘못).{0,30}?(?:취소|철회|무르|무를)"
)
_UNDONE = re.compile(r"(?P<noun>[가-힣A-Za-z]{2,12}?)[을를의]?\s?(?:취소|철회)")
"""What a question wants undone ("보험금 청구한 거 취소"), and what a row's question undoes ("청약철회")."""
_ENDED_THING = re.compile(
    r"(?<![가-힣])(?P<thing>[가-힣A-Za-z]{2,10}?)(?:[을를]\s?|\s)(?P<action>해지|해제|말소|취소|철회|삭제)(?P<form>하려|하고\s?싶|할\s?수|하는\s?(?:법|방법)|\s?방법|해\s?주|[\s?!.]*$)"
)
"""What a question asks to end: "질권 해지하려면"."""
_GENERAL = frozenset(("금액", "거래", "내역", "계약", "신청", "가입", "등록", "전체", "일부"))
_CLAUSE, _BROUGHT = re.compile(r"(?<=[.,\n])"), re.compile(r"지참|준비물|가지고|가져오|들고")
"""Clauses of an answer, and those on what to bring, which is not what is lost ("통장 재발급은 신분증과 도장을 지참하여")."""
_DONE_FIRST = re.compile(r"\[[^\]\n]*\s전\s?[^\]\n]*\](?:\n.+)*")
"""Section of an answer on what to do before ("[해지 전 확인]"), which is not what the row is about."""
_BEGINS = re.compile(
    r"(?:가입|개설)\s?(?:하(?:고\s?(?=[싶자])|려|는(?!데)|러)|할래|을\s?하|방법|해\s?(?:주|줘|야)|해요|되나|돼)"
    r"|(?:등록|설정|지정)\s?(?:하(?:고|려|는(?!데)|러)|할래|을\s?하|방법)"
    r"|(?:새로|처음)\s?(?:만들(?!어서|었)|드는|들(?!어)|(?:개설|가입)(?!\s?(?:했|한\s|하고\s?나)))|하나\s?(?:더\s?)?파|만드는\s?(?:법|방법)"
    r"|만들(?:려|고\s?싶|\s?수)|걸어\s?(?:두|놓(?![은았]))|걸고\s?싶|켜고|켜려"
)
"""Matches a question on how to begin something: "가입하려면", "새로 만들려면"."""
_LOST = re.compile(r"잃어|이[러저]버|일어버|잊어버|잊어먹|분실|없어[졌져]|도둑|도난|망가|고장|찢어|낡")
_REPLACED = re.compile(r"재발급|재교부|교체")
_ENDED = re.compile(r"(?P<thing>[0-9A-Za-z가-힣]{3,})(?<![을를])[을를]?\s?(?:해제|해지|폐쇄|탈퇴|말소|폐기)")
_BEGUN = re.compile(r"가입|신청|등록|개설|설정|지정|신규|만[들드]|켜[서시기]|(?:카드|OTP|증서|보증보험).{0,8}발급")
_NO_BEGINNING = re.compile(
    r"(?:해지|해제|취소|철회|탈퇴|탈회|폐기|중지|중단|말소|해약|반납|환매)\S{0,2}\s?(?:신청|등록|설정|가능|하실 수 있)"
    r"|(?:가입|신청|등록|설정|지정|개설)(?:되어|된|하신|한|하여|돼|되)"
    r"|(?:연장|증액|감액|변경|해지|해제|취소|철회|재발급|상환|전환|말소|갱신|정지|환급|이의|이의제기|인하|면제"
    r"|반환|폐기|환매|상향|하향|재심사|부활|탈회|조회)"
    r"\)?(?:에서|으로|은|는|을|를)?\s?(?:어떻게\s)?신청|신청(?:일|시간|기간|자|서|인)|가입\s?(?:시|기간|당시|일)"
)
"""Phrases of a row with a word of _BEGUN that are not about beginning: "해지 신청", "가입되어 있으면", "신청일"."""


def other_actions(
    question: str, row_question: str, row_answer: str, steps: str, *, synonyms: Synonyms = str
) -> Iterator[tuple[str, str, str]]:
    """(kind, asked, held) for each difference between the action that a question asks for and the one that a row describes.

    Kinds are those of contrast sets, or "paper" for a row on a certificate. `steps`: the part of the row's answer that says what
    to do.
    """
    row = f"{row_question} {row_answer}"
    for asked, held in _other_objects(question, row_question, row, synonyms):
        yield "product", asked, held
    if thing := _ends_other_thing(question, row_question, row, synonyms):
        yield "product", thing, ""
    if noun := _verbal_noun_not_held(question, row, synonyms):
        yield "action", noun, ""
    if MAY_REQUEST.search(question) and lacks_request(question, row_question, steps):
        yield "action", "", ""
    if is_opposite(question, row_question, row_answer):
        yield "action", "", row_question
    instead = _INSTEAD.search(question)
    if instead and _is_rejected(instead["this"], instead["that"], row_question, row, synonyms):
        yield "product", instead["that"], instead["this"]
    if MAY_CHANGE.search(question) and (target := other_target(question, row_question, row, synonyms)):
        yield "product", target, ""
    match = _CERTIFICATE.search(row_question)
    if match and not _ASKS_DOCUMENT.search(question):
        yield "paper", "", match["certificate"]
    if MAY_CHANGE.search(question) and is_reversed(question, row_question, row_answer):
        yield "action", target_of(question), row_question
    elif lacks_beginning(question, row_question, steps):
        yield "action", question, row_question


def without_cancelling(question: str, row_answer: str) -> str:
    """The row's answer without the clauses on cancelling an order, where the question does not ask to cancel or take back."""
    return row_answer if _CANCELS.search(question) else _without_times(row_answer)


@lru_cache(maxsize=8192)
def _without_times(row_answer: str) -> str:
    return _CANCELLED_IN_TIME.sub("", row_answer) if "취소" in row_answer else row_answer


def _verbal_noun_not_held(question: str, row: str, synonyms: Synonyms) -> str:
    """The question's final verbal noun if the row contains neither it nor another name of it; otherwise empty."""
    if not (noun := final_verbal_noun(question)):
        return ""
    names = (noun, *_data()["names"][noun], *other_names(noun, synonyms))
    is_named = any(name in compact(row) for name in names) or members_of(noun) & members_of(row)
    return "" if is_named else noun


@lru_cache(maxsize=1024)
def final_verbal_noun(question: str) -> str:
    """The verbal noun at the end of a question, ignoring the words of _NOTHING_MORE; empty if there is none.

    A single word ("환전") is a topic, not an action. A verbal noun before the last clause is not what is asked ("삭제하고 새
    주소로 바꾸고 싶어요").
    """
    matches = list(_final_nouns().finditer(question))
    if not matches:
        return ""
    last = matches[-1]
    is_topic, is_past = not question[: last.start("noun")].strip(), _STORY.match(question, last.end("noun"))
    return "" if is_topic or is_past or not _NOTHING_MORE.match(question, last.end()) else last["noun"]


def _ends_other_thing(question: str, row_question: str, row: str, synonyms: Synonyms) -> str:
    """The thing that a question asks to end, if the row's question does not name it and no sentence ends it; else empty."""
    if (match := _ENDED_THING.search(question)) is None:
        return ""
    thing, words = match["thing"], compound_words()
    if thing in words["products"] | words["heads"] | _GENERAL or is_no_kind(thing) or not is_bare_noun(thing):
        return ""
    is_same = members_of(thing) & members_of(row_question)
    if is_same or any(part in compact(row_question) for part in (thing, *tokens(thing))):
        return ""
    names = [re.escape(compact(name)) for name in synonyms(thing).split()]
    ends = rf"(?:{'|'.join(names)})[을를의]?\S{{0,4}}(?:{'|'.join(_data()['ends'][match['action']])})"
    return "" if re.search(ends, compact(row)) else f"{thing} {match['action']}"


def _is_rejected(this: str, that: str, row_question: str, row: str, synonyms: Synonyms) -> bool:
    """Whether a row is about `this`, which the customer rejects ("this 말고 that"), and does not name `that`."""
    if this not in compact(row_question):
        return False
    if that in _OTHER_ONES and this.endswith(tuple(compound_words()["products"])):
        return True
    if _NO_NOUN.search(that) or is_no_kind(that):
        return False
    is_named = holds_name(compact(row), that, synonyms)
    return not is_named and not members_of(that) & members_of(row)


def _without_brought(answer: str) -> str:
    """An answer without its clauses on what to bring."""
    return "".join(clause for clause in _CLAUSE.split(answer) if not _BROUGHT.search(clause))


def _other_objects(question: str, row_question: str, row: str, synonyms: Synonyms) -> Iterator[tuple[str, str]]:
    """(asked, held) for each action of the question that the row names with another object; both include the action."""
    held_by_action = dict(_objects(row_question))
    row = _DONE_FIRST.sub("", row)
    undone, requested = _UNDONE.search(row_question), _REQUESTED.search(question)
    pairs = list(dict(_objects(question)).items())
    if undone and requested and not (_NO_NOUN.search(requested["noun"]) or is_no_kind(requested["noun"])):
        pairs.append((_UNDO_NAME, requested["noun"]))
        held_by_action[_UNDO_NAME] = undone["noun"]
    for action, asked in pairs:
        held = held_by_action.get(action)
        text = compact(_without_brought(row) if action == "분실" else row)
        if held is None or asked in text or held in compact(question):
            continue
        # The row's word may be the general one ("보험계약" for "암보험"), or another word for the thing (날짜 and 자동이체일).
        is_general = any(asked.endswith(kind) and held.startswith(kind) for kind in compound_words()["products"])
        is_same_word = usual_word(asked) in usual_word(held) or any(
            asked.endswith(word) and held.endswith(tuple(ends)) for word, ends in _data()["objects"].items()
        )
        if is_general or is_same_word or is_same_member(asked, held):
            continue
        # The lexicon adds "변경" to "전화번호", which is an action.
        names = (name for name in other_names(asked, synonyms) if name not in compound_words()["verbal_nouns"])
        if not any(name in text for name in names):
            yield f"{asked} {action}", f"{held} {action}"


@lru_cache(maxsize=4096)
def _objects(text: str) -> tuple[tuple[str, str], ...]:
    """(verbal noun, noun before it) for each action in a text; native verbs are given as their verbal noun."""
    pairs = []
    for match in _actions().finditer(text):
        word, native = match["noun"], match["native"]
        # The object of a native verb usually has a particle: "주소가 바뀌었어요".
        noun = re.sub(r"[을를은는이가도]$" if native else r"[을를은는도]$", "", word) if len(word) > 2 else word
        is_noun = noun != word or _DOCUMENT.search(word) or not _NO_NOUN.search(word)
        if is_noun and noun not in compound_words()["no_objects"] and not (_NO_OBJECT.search(noun) or is_no_kind(noun)):
            pairs.append((_native_verbs()[native] if native else match["verbal"], noun))
    return tuple(pairs)


def lacks_beginning(question: str, row_question: str, steps: str) -> bool:
    """Whether a question asks to resume, undo or begin something and the row does not say how."""
    row = f"{row_question}\n{steps}"
    for asks, answers in ((_AGAIN, _BEGINS_AGAIN), (_UNDO_ENDING, _UNDOES_ENDING), (_UNDO, _UNDOES)):
        if asks.search(question) and not answers.search(row):
            return True
    if not _BEGINS.search(question) or _ENDINGS.search(question):
        return False
    ended = _ENDED.search(row_question)
    if ended and ended["thing"] in compact(question) and not _BEGUN.search(row_question[: ended.start()]):
        return True
    is_replaced = _LOST.search(question) and _REPLACED.search(row)
    return not is_replaced and _BEGUN.search(_NO_BEGINNING.sub(" ", row)) is None


@cache
def _data() -> Mapping[str, Mapping[str, list[str]]]:
    """The tables of verbal_nouns.toml by name."""
    return read_toml(__package__, "verbal_nouns.toml")


@cache
def _native_verbs() -> Mapping[str, str]:
    """The verbal nouns by the beginnings of native verbs with the same meaning: 변경 for "바꾸"."""
    return {verb: noun for noun, verbs in _data()["native"].items() for verb in verbs}


def _any_of(words: Iterable[str]) -> str:
    """A pattern of any of the words, longer ones first."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


@cache
def _final_nouns() -> re.Pattern[str]:
    """Matches a verbal noun at the end of a word, with its form."""
    return re.compile(
        rf"(?<![0-9A-Za-z가-힣])[0-9A-Za-z가-힣]*?(?P<noun>{_any_of(_data()['names'])})(?P<form>{_FORM})?(?![가-힣])"
    )


@cache
def _actions() -> re.Pattern[str]:
    """Matches a noun before an action: a verbal noun, or the beginning of a native verb."""
    verbal, native = _any_of(compound_words()["verbal_nouns"]), _any_of(_native_verbs())
    return re.compile(
        r"(?<![0-9A-Za-z가-힣])(?P<noun>[가-힣]{2,12})\s+(?:(?:어떻게|어디서|어디에서|새로|다시|(?:다른|딴)\s?(?:걸|거|것|계좌|통장|카드|날짜?)으?로)\s+)?"
        rf"(?:(?P<verbal>{verbal})(?!일(?:[을은이의]|\s|$))|(?P<native>{native}))"
    )
