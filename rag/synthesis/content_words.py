"""The words of a Korean sentence that say what it is about, and whether a passage holds them. No morphology: endings are cut.

A noun counts as held where the passage has it, most of its syllable pairs, or a word of the same meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[가-힣A-Za-z0-9%]+(?:[+&.][A-Za-z0-9]+)*")
_COPULA = re.compile(
    r"(?:입니다|이에요|예요|이에|입니|인데요?|이라서|이라|이거나|이었|였|이니|이신|이시면?|이고|이며|이면)$"
)
"""After a noun: "무료입니다" names "무료"."""
_PARTICLE = re.compile(
    r"(?:으로부터|로부터|께서는|께서|께는|께|에서는|에서도|에서만|에서|에게서|에게는|에게|까지는|까지도|까지만|까지|부터는|부터|으로는|으로도|으로만|으로|로는|로도|로만"
    r"|이라면|라면|이라도|라도|이라는|이라고|이나|이며|이고|이면|이어도|이므로|이지만|이어야|여야|이든|든지|든|에는|에도|에만|만으로|만이|만을|만"
    r"|처럼|보다|마다|씩|뿐|하고|입니다|인|이에요|예요|에|은|는|이|가|을|를|의|도|와|과|로|나|며|고)$"
)
_DOES = re.compile(
    r"^(?P<noun>[가-힣A-Za-z]{2,}?)(?:(?:하|되|받|시키|드리)(?:[가-힣]*)|해(?:$|[서야도요주드][가-힣]*)|[한할함합된될됨됩했됐돼][가-힣]*|드[립려린릴][가-힣]*"
    r"|받[가-힣]*)$"
)
_VERB = re.compile(
    r"(?:습니다|[가-힣]니다|세요|시오|[어아해돼]요|[으하되]?면|[어아여]서|므로|지만|는데|은데|도록|려면|[으하]?신|[으하]?실|[으하]?시는"
    r"|하는|던|지|게|기|[어아셔해]야|[어아여해]도|[어아여해]|셔도|고|며|는|은|을|할|한|진|린|든|난"
    r"|거나|다가|려고|면서|자마자|느라|니까|[으하시]니|라서|네요|지요|죠|까요|[가-힣]{1,4}요|[가-힣]ㄹ게요|더라도|[으시]므로|겠[가-힣]+|[셨았었였됐했][가-힣]+)$"
)
_OF_NUMBER = re.compile(
    r"(?:원|달러|엔|위안|유로|%)(?:어치|까지|부터|이|을|은|의|씩|만|도|으로|로|를|가|짜리|입|예|인|당|$)"
)
_SPAN = re.compile(
    r"^(?:[일이삼사오육칠팔구십]{1,3}|한|두|세|석|네|넉|반)(?:주일|주|달|개월|년|해)(?:간|동안|[가-힣]{0,3})$"
)
_NUMERAL = re.compile(
    r"^[일이삼사오육칠팔구십백천만억]+[천백십만억]원?[가-힣]{0,2}$"
    r"|^(?:열|스물|서른|마흔)?(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉)$|^(?:열|스무|서른|마흔)$"
)
_NOUN_YO = re.compile(r"(?:필|중|주|수|개|소)요$")
# Everyday verbs in the forms their stems take; no list of nouns is kept, so that what is no verb counts as one.
_LONG_STEM = re.compile(
    r"^(?:고르|골라|고를|고릅|고른|들어[오와옵온올]|이어[지져집진질]|걸[리려립릴린]|늘[리려릴립린어]|바[꾸꿔꿀꿉뀌뀐뀝뀔꾼]|낮[추춰출춥춘]"
    r"|줄[이여일입인어]|지[나날났]|지난(?!해)|시작[하되돼]|빠[지져집진질르른]|찾[으아는을지]|겹[치쳐칩]|적[히힌혀힙]|다[니녀닌닐닙]|막[히혀힙힌]|챙[기겨깁길]"
    r"|나[오와옵온올]|채[우워운울웁]|넘[어으는지겨기]|합[치쳐칠칩친]|더[하해합한할]|알[리려릴립]|보[내낸낼냅]|잃[어으는]|빌[리려릴린립]|누[르른를릅]|눌러"
    r"|옮[기겨길긴깁]|모[자으아]라|거[치쳐칠칩친]|기다[리려릴립]|어[려렵]|다[르른를]|알아[보봐볼본]|달[라리]|따[르라른]|올[리려릴린립라]|내[리려릴린립]|정해|만[들드든]"
    r"|없[애앤앨]|지[우워운울웁]|고[치쳐칠친칩]|돌[리려릴린립아]|돌려|건[네넨]|모[으아은을]|나[누눠뉘눌눈]|맡[기겨긴길]|틀[리려린릴립]|끝[나내난날]"
    r"|멈[추춰춘출]|미[루뤄룬룰룹]|앞당|갖[추춰춘출고]|가지[고시]|비[싸싼]|치[르러른]|펴[내]|이루|벌[어]|쪼[개]|여[쭤쭙]|들[르러]|살[펴피]|써[야서]|덜[어]"
    r"|생[기겨긴길깁]|밀[리려린]|떨[어]|끼[치쳐]|열[리려릴린립]|놓[치쳐]|붙[이여일인]|맞[추춰출춘]|드[리려릴립린]|들[이여]|묶[이여인]|팔[리려]|그만[두둬]|물[리려])"
)
_SHORT_STEM = re.compile(
    r"^(?:받|넣|닿|깨|쓰|두|둬|쌓|찾|푸|풀|붙|갚|내|오|가|보|하|되|돼|들|타|팔|남|묻|잊|끊|얻|잡|맞|크|작|많|적|길|짧|높|낮|같|늦|쉬|살|놓|켜|끄|꺼|열"
    r"|닫|봐|와|줘|져|빼|뺀|않|없|있|넘|싶|좋|늘|줄|쓸|쓴|낼|낸|갈|간|올|온|볼|본|탈|탄|살|산|맺|덜|빌|깎|막|뜨|모|밝|싸|벗|걷|믿|읽|적|앉|서|신|입)"
    r"(?:으|시|실|신|셔|셨|십|습|아|어|여|고|는|은|을|지|게|기|면|던|며|거|니|므|았|었|겠|려|수|자|러|쌓|힌|혀|히|이는|인다|린다)[가-힣]*$"
)
_NOUN_LIKE_VERB = re.compile(
    r"신고|사고|보상|서면|보증|(?:보고|창고|가게|보기|사기|가지|입고|내지|가상|내부|보수|가수|서신|하지|두기|길이)$"
)
_COMMON_WORDS = """
건당 다달 다달이 곧장 하나 둘 셋 다섯 여섯 일곱 여덟 아홉 열 번째 회째 매번 곳곳 즉 무이자
있는지 없는지 않아 않는 하는지 치르 하고 바뀐 바꿀 중일 계속 똑같이 그러면 만약 아직 역시 오히려 스스로 대로 이하로 남아 매월
매달 매년 매주 월 연 연간 월간 고객 고객님 본인 경우 때 것 수 후 뒤 전 다음 이용 사용 가능 필요 신청 확인 안내 방법 해당
바로 즉시 보통 통상 약 최대 최소 최고 하루 매일 다시 새로 직접 함께 따로 별도 더 각각 이 그 저 두 결과 이후 이전 이내 이상
이하 초과 미만 정도 및 또는 그리고 다만 단 현재 기존 중 곳 분 등 네 아니요 먼저 이미 모두 처리 진행 적용 대상 상태 서비스
지정 완료 예정 지금 관련 언제 어떻게 여러 있 없 하 되 받 드리 주 위해 통해 대해 따라 의해 한 내 그대로 같 이런 그런 불가능
불가 유료 만 개 하지 않 됩니다 합니다 됩 면제 저녁 아침 밤 새벽 낮 비용 인정 처음 상대방 상대 곧바 곧바로 그날 오늘 내일 날짜
그동안 동안 길게 짧게 비율 말고 전후 예컨대 가령 예를 지난달 이번 제일 가장 그다음 그때 이때 대략 쪽 분들 사람 편하 편하게 쉽게
빠르게 꼭 반드시 미리 우선 일단 아울러 또한 그래서 따라서 그래도 그렇지만 하지만 그러나 반면 혹은 아니면 이렇게 그렇게 저희 손님
회원 회원님 참고 부탁 주의 유의 내용 부분 사항 점 거 걸 데 줄 만큼 쯤 무렵 각자 혼자 같이 방식 형태 종류 항목 요건 조건 자격
순서 절차 이유 사유 문제 상황 예 예시 기준 시점 하나 나머지 이외 외 밖 안 속 위 아래 앞 옆 사이 마지막 시작 단지 특히 주로
조금 많이 모자 오래 금방 한꺼번 더불 이상일 이하일 이내일 초과일 미만일 이라 이란 라고 다고 대상자 대로라 물론 사실 만일 혹시
원래 평소 요즘 최근 이날 당시 일반 일반적 기본 기본적 구체 다양 간단 하시 하실 하신 있으 없으 않으 않으셔 없이 것이 가지 쓸
오전 오후 앱 표시 됐 아닙 아니 수도 주세요 드 해드 제한 부담 발생 추가 포함 제외 대신 시간 기간 날 일 금액 당일 당행 당사
은행 자동 정상 나중 자유롭 자유롭게 어디서 어디
요약 정리 결론 핵심 간략 양쪽 최장 최단 최저 이듬해 요컨대 덧붙 자세 상세 그냥 굳이 일일이 순간 차례 정확 확실 여부 실제 실제로
이용자 사용자 이용객 고객분 당사자 해당자 우리 자신 스스로 매번 한번 두루 전체적 결국 즉시로 정말 진짜 아주 매우 훨씬 꽤
무척 대체 대체로 대개 대부분 일부러 이왕 가급적 되도록 아마 모든 온통 도중 중간 당분간 한동안 나절 틈 김 셈 듯 채 척 바 뿐
따름 터 노릇 탓 덕분 덕 차원 측면 관점 입장 처지 경로 과정 단계 순 식 편 축 번거롭 손쉽 생각 걱정 염려 안심 마음 원하 바라
희망 의향 계획 예상 짐작 이야기 얘기 말씀 말 설명 소개 답변 대답 질문 궁금 문의 도움 도와 필수 의무 권장 추천 권유 가능성
아무 자리 이제 저절로 보름 열흘 사흘 나흘 닷새 이틀 두어 몇 여럿 다수 소수 약간 좀 더욱 덜 가까 가까운 근처 인근 해당일
연속 통째 해서 아니니 아니고 아니라 어느 같은날 당연 어차피 애초 애당초 이어 이어서 연이어 잇따라 계속해 계속해서 줄곧 내내 여전
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_COURTESY = re.compile(r"감사|안녕|궁금|물어|도움이|죄송|고맙|언제든|좋은 하루|도와")
_VERB_STEM = re.compile(r"[가-힣](?:치|추|우|키|히|르|꾸|끄|으|뜨|쓰|맞)")


@dataclass(frozen=True, slots=True)
class ContentWord:
    """A word without its endings. `is_noun`: it names a thing; what a verb's stem names is easier said in other words.

    `is_common`: it stands in any text, so that a passage need not have it.
    """

    stem: str
    is_noun: bool
    is_common: bool = False


@lru_cache(maxsize=4096)
def content_words(text: str) -> tuple[ContentWord, ...]:
    """The words that carry what a text says, in text order, each once; numbers and everyday words left out."""
    return tuple(word for word in all_words(text) if not word.is_common)


@lru_cache(maxsize=4096)
def all_words(text: str) -> tuple[ContentWord, ...]:
    """`content_words` and the everyday words ("최대", "앱", "일반"), which may tell one value of a passage from another."""
    words: dict[str, ContentWord] = {}
    matches = list(_WORD.finditer(text))
    for match, following in zip(matches, [*matches[1:], None], strict=False):
        if (word := _content(match[0], following[0] if following else "")) is not None:
            words.setdefault(word.stem, word)
    return tuple(words.values())


_BEFORE = (
    (r"지(?:는|도|를)?", r"(?:않|못|마|말|아니)"),
    (
        r"[어아여해져려쳐워와켜내놔춰줘둬꿔]",
        r"(?:있[는으어을습다고지던]|두[고면시어]|둔|둘|둬|놓|놔|주[고시세면셔]|줘|준|줍|줄|드[리립려린릴]|보[고시세면셔]|봐|버[리려린])",
    ),
    (r"야", r"(?:하|되|돼|됩|합|한|할|해)"),
    (r"고", r"(?:싶|있|계시|계신|나서|난)"),
    (r"[으하되]?면", r"(?:되|됩|돼|안)"),
    (r"기", r"(?:전|위|때문|바랍|바라|어렵|어려|쉽|쉬|힘)"),
    (r"[아어해여가와러려]서?", r"(?:보시면|보면|봐야|야)"),
)
"""A verb's ending together with the beginning of the word after it: no noun stands so."""
_VERB_BEFORE = tuple((re.compile(rf"[가-힣]{ending}$"), re.compile(following)) for ending, following in _BEFORE)
_CAN = re.compile(r"수(?:는|가|도|밖에)?$|때(?:는|에|도|마다|까지|만)?$|것|거|예정|필요|만큼|텐데|경우")


_CONNECTIVE = re.compile(
    r"[가-힣](?:더라도|려면|도록|자마자|거든|(?<!분)야|[았었였했됐갔왔꿨졌렸][다고더]*|[져려려쳐]서)$"
)


def _is_verb(word: str, following: str) -> bool:
    """Whether the word after one shows it to be a verb: "쌓이지 않아요", "켜져 있는지", "넣을 수"."""
    if any(ending.search(word) and after.match(following) for ending, after in _VERB_BEFORE):
        return True
    if _CONNECTIVE.search(word):
        return True
    return (ord(word[-1]) - 0xAC00) % 28 == 8 and "가" <= word[-1] <= "힣" and _CAN.match(following) is not None


@lru_cache(maxsize=8192)
def _content(word: str, following: str) -> ContentWord | None:
    """The content word of a word and the word after it ("" at the end); None for a number or what is no word."""
    # Numbers have a check of their own, which knows their units.
    if word[0].isdigit() or _OF_NUMBER.match(word) or _SPAN.match(word) or _NUMERAL.match(word):
        return None
    # Before particles are cut: a verb's ending often looks like one ("받은").
    is_noun = _NOUN_LIKE_VERB.match(word) is not None
    if not is_noun and (long := _LONG_STEM.match(word)):
        stem = long[0]
    elif (_is_verb(word, following) and not _DOES.match(word)) or (not is_noun and _SHORT_STEM.match(word)):
        stem, is_noun = _VERB.sub("", word) or word, False
    elif len(word) > 3 and (copula := _COPULA.search(word)) and copula.start() > 1:
        stem, is_noun = word[: copula.start()], True
    elif does := _DOES.match(word):
        stem, is_noun = _PARTICLE.sub("", does["noun"]) or does["noun"], True
        if len(stem) < 2:
            stem, is_noun = does["noun"], False
    elif (
        _VERB.search(word) and not _NOUN_YO.search(word) and not re.search(r"(?:은|는|을|고|며|한|지|기|게|도)$", word)
    ):
        stem, is_noun = _VERB.sub("", word) or word, False
    else:
        stem, is_noun = _PARTICLE.sub("", word) or word, True
        if _VERB_STEM.fullmatch(stem) and word[len(stem) :] in ("는", "은", "고", "며"):
            is_noun = False
        # Short, without a particle and with a verb's ending before a noun: "바꿀", "내는".
        if stem == word and len(word) <= 2 and (ord(word[-1]) - 0xAC00) % 28 in (4, 8):
            is_noun = False
    stem = stem.lower()
    if len(stem) > 2 and stem.endswith(("님", "들")):
        stem = stem[:-1]
    is_common = stem in _COMMON or word in _COMMON
    if len(stem) < 2 and not is_noun and not is_common:
        return None
    return ContentWord(stem, is_noun and len(stem) > 1, is_common)


def is_courtesy(sentence: str) -> bool:
    """Whether a sentence states nothing and is only polite: "감사합니다.", "더 궁금한 점이 있으면 물어봐 주세요." """
    rest = [word for word in content_words(sentence) if not _COURTESY.search(word.stem) and word.stem != "점"]
    return _COURTESY.search(sentence) is not None and not rest and not re.search(r"\d", sentence)
