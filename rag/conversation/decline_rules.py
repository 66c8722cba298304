"""Why a question is not answered, as far as its words alone show it: greeting, thanks, advice wanted, injection.

Rules, not a model: each is a short list that a bank can read and change. They look for a message that is nothing but
a greeting, or that asks for a recommendation or a way around the rules; a banking question that begins with a greeting
stays a banking question.
"""

from __future__ import annotations

import re

from rag.types import Reason

_GREETING = re.compile(
    r"안녕(하세요|하십니까|하세여|하셈|히계세요|히\s*가세요)?|안뇽|하이(요|루)?(?![가-힣]{2})|헬로우?|ㅎㅇ+|방가(워요|방가)?|반가(워요|워|습니다)|반갑(습니다|네요)"
    r"|계세요|계신가요|여보세요|저기요|좋은\s*(아침|오후|저녁|하루|밤)(입니다|이에요|되세요|보내세요)?|굿모닝|수고(하세요|하십니다|많으십니다)"
    r"|처음\s*(왔어요|와봤어요|뵙겠습니다)|(?<![a-z])(hello|hi|hey|good\s*(morning|afternoon|evening|night))(?![a-z])",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"감사(합니다|해요|드립니다|드려요|감사|요)?|고마(워요|워|웠어요|웠습니다)|고맙(습니다|습니당|네요|다)|ㄱㅅ+|땡큐|쌩유|thank\s*(you|s)|thx|thanks"
    r"|덕분에|해결(됐어요|되었어요|됐습니다|했어요|됐네요|완료)|도움(이)?\s*(많이\s*)?(됐어요|되었어요|되었습니다|됐습니다)|친절하(시네요|네요|시다|세요)"
    r"|알겠(습니다|어요|네요)|복\s*받으(세요|실)|챙겨\s*주시|수고(하셨습니다|하셨어요|했어요)|최고(예요|에요|네요)|잘\s*(됐어요|되네요|됐네요)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[\s~!.?,^ㅎㅋㅠㅜ♡♥❤️:;)(\-_'\"]+|[\U0001F300-\U0001FAFF☀-➿]|정말|진짜|너무|완전|많이|이렇게까지|이렇게|되네|바로|매우|오늘|선생님|상담사님|챗봇(아|님|이)?|봇|님|네|넵|아|오|와|요|도|다|이제|바로|다들|여러분"
)
_TOPIC = re.compile(
    r"otp|오티피|대출|예금|적금|저축|카드|통장|계좌|이체|송금|입금|출금|인증|비밀번호|비번|한도|금리|이자|환율|환전|펀드|주식|청약|공모"
    r"|보험|연금|세금|수수료|잔액|잔고|해지|분실|신용|배당|isa|etf|irp|atm|cma",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\?|[은는]요|어떻|어떡|언제|얼마|나요|까요")
_ADVICE = re.compile(
    r"(상품|주식|종목|펀드|적금|예금|대출|카드|통장|투자|보험|배당주|ETF|etf).{0,14}추천(?!\s*(인|코드|이벤트|번호|링크|하는데|한다|하면|했|해서|받))|추천\s*(종목|상품|주식|펀드|카드|적금)|골라\s*(줘|주|달)|찍어\s*(줘|주)"
    r"|((?<![가-힣])(?:주식|종목|코인)?사도|팔아도|살까|팔까|사야|팔아야|들어가도|투자해도|물타|물을?\s*타|손절|익절|갈아타|존버|매수해도|매도해도|담아도)\s*(될까|되나|되려나|좋을까|할까|하나|괜찮|요|나|말까|돼|야)"
    r"|(오를까|오르려나|내릴까|내리려나|오를\s*것|내릴\s*것|오를\s*거|내릴\s*거|전망|예측|유망|따상|떡상|대박)"
    r"|(환율|금리|주가|주식|코스피|코스닥|나스닥|달러|엔화|집값|반도체|증시|(?<![가-힣])장).{0,14}(오르나|오를지|내리나|내릴지|떨어지나|떨어질지|바닥|고점|저점|반등)"
    r"|(언제|지금).{0,10}(사는|파는|보내는|바꾸는|들어가는|타는|갈아타는)\s*(게|것이|거)\s*(좋|나|유리|이득)"
    r"|(뭐에|어디에|뭘로|어떻게|얼마씩).{0,8}(투자|굴리|저축|모으)(하면|해야|는\s*게|어야|면)\s*(좋|할까|될까|하나|해야|되)?"
    r"|(갚을까요?|할까요?|살까요?|팔까요?).{0,16}(할까|살까|팔까|말까|갚을까)"
    r"|(뭐가|어디가|어느\s*게|어떤\s*게|무엇이|뭘|어디|누가)\s*(나한테|저한테|제일|가장|더|젤)\s*(나아|나은|나을|낫|좋|유리|이득|맞)"
    r"|(나한테|저한테|제게|내\s*상황).{0,12}(맞는|나은|나아|유리|좋은|좋을)"
)
_INJECTION = re.compile(
    r"(이전|위|앞|기존|지금까지).{0,8}(지시|명령|규칙|프롬프트|대화).{0,8}(무시|잊|버려|삭제|초기화)"
    r"|(이전|위|앞|기존|지금까지).{0,8}(설정|내용).{0,4}무시"
    r"|시스템\s*프롬프트|(시스템|숨겨진|내부|초기|원래)\s*(프롬프트|지시|지침|명령)"
    r"|(프롬프트|지침|지시문|지시사항).{0,10}(출력|보여|공개|알려|적어|말해|복사)"
    r"|(관리자|개발자|디버그|루트|점검|테스트|DAN|탈옥|무제한)\s*(모드|권한|계정|콘솔)(로|으로|를|을)?\s*(전환|진입|바꿔|활성|시작|답|대답|말|행동|켜\s*(줘|봐|라))"
    r"|(?<!스팸)(?<!스팸\s)(규칙|필터|안전장치|검열).{0,8}(해제|없이|풀|무시|없는|우회|끄)|(규정|제한).{0,4}(무시|우회)"
    r"|(제한|규정)\s*(없이|없는).{0,8}(답|대답|말해|알려|챗봇|AI)"
    r"|((다른|옆|모든|전체|아무)\s*(고객|사람|사용자|회원|손님)|타인|남)(들|님)?(의|꺼|거)?.{0,12}(잔액|계좌|정보|비밀번호|내역|명단|번호|연락처|목록)(을|를|이|좀|도|\s)*(보여|알려|조회|출력|뽑|공개|말해)"
    r"|(너는|넌|당신은|네가|니가)\s*(이제|지금)(부터|은)?\s.{0,40}(이야|야|다|처럼|입니다|역할|연기|행동|답해|대답)"
    r"|(이\s*문장|지금|이제)\s*부터(는)?.{0,12}(필터|규칙|제한).{0,10}(꺼|해제|무시)|(규칙|지시|프롬프트|지침).{0,6}(전부|모두|그대로).{0,12}(출력|말해|적어|복사|보여)"
    r"|주민(등록)?번호.{0,10}(조회해\s*(봐|줘)|찾아\s*(봐|줘))|(주민(등록)?번호|비밀번호|카드번호|계좌번호).{0,10}생성\s*규칙"
    r"|(new|following)\s+instruction|repeat\s.{0,20}(above|everything)|answer\s+every"
    r"|역할극|롤플레이|인\s*척\s*(해\s*(줘|봐|라)|하고\s*(답|대답|말)|행동해|연기)|처럼\s*(행동|연기)\s*해|처럼\s*굴어"
    r"|ignore\s.{0,30}(instruction|rule|prompt|previous|above)|disregard\s.{0,30}(instruction|rule|previous)|system\s*prompt|developer\s*mode"
    r"|you\s+are\s+now|pretend\s+(to|you)|jailbreak|act\s+as|reveal\s.{0,30}(prompt|instruction|key|secret)|\bDAN\b"
    r"|<\s*/?\s*(script|system|img|iframe|svg)|\[\s*/?\s*(system|inst|admin)|\{\{|\$\{|<\|"
    r"|drop\s+table|union\s+select|select\s.{1,40}\sfrom\s|or\s+1\s*=\s*1|';|--\s*$|rm\s+-rf|os\.system|__import__|\beval\(",
    re.IGNORECASE,
)


def match_decline_rule(question: str) -> Reason | None:
    """The reason to decline that the words show, or None: then the passages found decide."""
    if _INJECTION.search(question):
        return "injection"
    if _ADVICE.search(question):
        return "advice"
    topic = _TOPIC.search(question)
    if _nothing_but(_THANKS, question) and not (topic and _ASKS.search(question)):
        return "thanks"
    if _nothing_but(_GREETING, question) and not topic:
        return "greeting"
    return None


def _nothing_but(pattern: re.Pattern[str], question: str) -> bool:
    """True where the pattern occurs and what is left after it and filler words is at most three characters."""
    if not pattern.search(question):
        return False
    rest = _FILLER.sub("", _GREETING.sub("", _THANKS.sub("", question)))
    return len(rest) <= 3
