"""Every text of the page, in Korean and English. Data (questions, passages, errors) keeps its own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rag.errors import RagError
from rag.types import Notice

Language = Literal["ko", "en"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language; `{name}` are places to fill with str.format."""

    language: Language
    title: str
    subtitle: str
    welcome: str
    starters: str
    notice: str
    box_label: str
    box_placeholder: str
    send: str
    stop: str
    retry: str
    clear: str
    bank: str
    category: str
    everything: str
    chat_label: str
    your_question: str
    our_answer: str
    scroll_down: str
    loading: str
    failed: str
    waiting: str
    searching: str
    writing: str
    stopped: str
    generated: str
    checked: str
    weak: str
    masked: str
    empty: str
    too_long: str
    unknown_choice: str
    unexpected: str
    login: str
    login_name: str
    login_password: str
    login_enter: str
    login_wrong: str
    login_failed: str
    login_ended: str
    busy: str
    wrong_values: str
    turn: str
    sources: str
    sources_empty: str
    sources_of: str
    score: str
    as_of: str
    open_source: str
    back: str
    notices: Mapping[Notice, str]

    def step(self, step: str, done: int, total: int) -> str:
        """One line of progress. Steps are named in Korean, so other languages show the count alone."""
        name = step if step and self.language == "ko" else self.loading
        return f"{name} … {done}/{total}" if total else f"{name} …"

    def error(self, error: RagError) -> str:
        """The error's own text in this language."""
        return error.korean if self.language == "ko" else str(error)


KOREAN = Texts(
    language="ko",
    title="금융 FAQ 상담",
    subtitle="등록된 FAQ에서 찾아 출처와 함께 알려 드립니다",
    welcome="무엇을 도와드릴까요?\n궁금한 점을 평소 말하듯이 적어 주세요.",
    starters="자주 찾는 질문",
    notice=(
        "답변은 등록된 FAQ와 문서를 바탕으로 하며 금융 자문이 아닙니다. 실제 조건은 해당 금융회사에 확인해 주세요. "
        "주민등록번호, 계좌번호, 비밀번호는 입력하지 마세요."
    ),
    box_label="질문",
    box_placeholder="궁금한 점을 입력하세요",
    send="보내기",
    stop="멈춤",
    retry="다시 답변",
    clear="새 상담",
    bank="금융회사",
    category="분류",
    everything="전체",
    chat_label="상담 내용",
    your_question="내 질문",
    our_answer="답변",
    scroll_down="맨 아래로",
    loading="자료를 준비하는 중",
    failed="자료를 불러오지 못해 답변할 수 없습니다. 프로그램을 실행한 창의 안내를 확인하고 다시 시작해 주세요.",
    waiting="자료가 준비되면 바로 답변합니다.",
    searching="자료를 찾는 중 …",
    writing="답변을 쓰는 중 …",
    stopped="답변을 멈췄습니다.",
    generated="AI 생성 · 확인 전",
    checked="AI 생성 · 출처 확인",
    weak="AI 생성 · 일부 표현은 출처와 다름",
    masked="개인정보({kinds})는 가리고 답변했습니다. 상담에 필요하지 않으니 입력하지 마세요.",
    empty="질문을 입력해 주세요.",
    too_long="질문이 너무 깁니다({length}자). {limit}자 이내로 줄여 주세요.",
    unknown_choice="고를 수 없는 값입니다: {value}. 다음 중에서 고르세요: {choices}",
    unexpected="답변하지 못했습니다. 잠시 후 ‘다시 답변’을 눌러 주세요.",
    login="금융 FAQ 상담을 이용하려면 로그인해 주세요. 여러 번 틀리면 1분 동안 로그인할 수 없습니다.",
    login_name="아이디",
    login_password="비밀번호",  # noqa: S106 - a label
    login_enter="로그인",
    login_wrong="아이디 또는 비밀번호가 맞지 않습니다.",
    login_failed="서버에 연결하지 못했습니다. 잠시 후 다시 시도해 주세요.",
    login_ended="로그인이 끝났습니다. 페이지를 새로 고쳐 다시 로그인해 주세요.",
    busy="지금은 요청이 많습니다. 잠시 후 다시 시도해 주세요.",
    wrong_values="요청 형식이 맞지 않습니다. 질문, 금융회사, 분류를 차례로 글자로 보내 주세요.",
    turn="앞선 질문에 답하는 중입니다. 차례가 되면 바로 답변합니다.",
    sources="출처",
    sources_empty="답변의 근거가 된 FAQ가 여기에 표시됩니다.",
    sources_of="질문: {question}",
    score="관련도 {percent}%",
    as_of="기준일",
    open_source="원문 보기",
    back="답변으로 돌아가기",
    notices={
        "withheld": "출처에서 확인되지 않은 내용은 빼고 보여 드립니다.",
        "uncited": "AI 답변에 근거가 된 출처가 없어 등록된 FAQ 원문을 보여 드립니다.",
        "too_slow": "AI 답변이 제시간에 끝나지 않아 등록된 FAQ 원문을 보여 드립니다. ‘다시 답변’을 누르면 다시 시도합니다.",
        "model_unavailable": "지금은 AI 모델 없이 등록된 FAQ 원문으로 답합니다. 찾는 내용이 없으면 잠시 후 다시 물어봐 주세요.",
        "interrupted": "답변이 중간에 끊겨 등록된 FAQ 원문을 보여 드립니다. ‘다시 답변’을 누르면 다시 시도합니다.",
    },
)

ENGLISH = Texts(
    language="en",
    title="Financial FAQ",
    subtitle="Answers from the registered FAQ, with their sources",
    welcome="How can we help?\nAsk in your own words.",
    starters="Frequently asked",
    notice=(
        "Answers come from the registered FAQ and documents and are not financial advice. Please confirm the actual terms "
        "with the institution. Do not enter resident registration numbers, account numbers or passwords."
    ),
    box_label="Question",
    box_placeholder="Type a question",
    send="Send",
    stop="Stop",
    retry="Answer again",
    clear="New chat",
    bank="Institution",
    category="Category",
    everything="All",
    chat_label="Conversation",
    your_question="Your question",
    our_answer="Answer",
    scroll_down="To the end",
    loading="Preparing the FAQ",
    failed="The FAQ could not be loaded, so nothing can be answered. See the window the program runs in, then start it again.",
    waiting="Your question will be answered as soon as the FAQ is ready.",
    searching="Searching …",
    writing="Writing …",
    stopped="The answer was stopped.",
    generated="AI-generated · not yet checked",
    checked="AI-generated · checked against its sources",
    weak="AI-generated · some wording differs from its sources",
    masked="Personal data ({kinds}) was hidden before answering. It is not needed here; please do not enter it.",
    empty="Please type a question.",
    too_long="The question is too long ({length} characters). Please keep it to {limit}.",
    unknown_choice="There is no '{value}'. Choose one of: {choices}",
    unexpected="The question could not be answered. Please press “Answer again” in a moment.",
    login="Please sign in to the Financial FAQ. After several wrong attempts, signing in is blocked for a minute.",
    login_name="Name",
    login_password="Password",  # noqa: S106 - a label
    login_enter="Sign in",
    login_wrong="The name or the password is wrong.",
    login_failed="The server cannot be reached. Please try again in a moment.",
    login_ended="Your login has ended. Please reload the page and sign in again.",
    busy="There are many requests right now. Please try again in a moment.",
    wrong_values="The request has the wrong form. Send question, institution and category as texts, in this order.",
    turn="Earlier questions are being answered. Yours is next in a moment.",
    sources="Sources",
    sources_empty="The FAQ entries behind an answer appear here.",
    sources_of="Question: {question}",
    score="Relevance {percent}%",
    as_of="As of",
    open_source="Open the original",
    back="Back to the answer",
    notices={
        "withheld": "What the sources do not confirm has been left out.",
        "uncited": "The model named no source for its answer, so the registered FAQ text is shown.",
        "too_slow": "The model's answer was late, so the registered FAQ text is shown. Press “Answer again” to retry.",
        "model_unavailable": "No model can be used right now: registered FAQ text is shown. Ask again later if it does not help.",
        "interrupted": "The answer broke off, so the registered FAQ text is shown. Press “Answer again” to retry.",
    },
)

TEXTS: Mapping[Language, Texts] = {"ko": KOREAN, "en": ENGLISH}
