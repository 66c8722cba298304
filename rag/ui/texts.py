"""The page's texts by language. Data (questions, passages, errors) is not translated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rag.errors import InputError, RagError
from rag.types import Notice

Language = Literal["ko", "en"]
_NOTICES: Mapping[Notice, str] = {
    "withheld": "출처에서 확인되지 않은 내용은 빼거나 등록된 FAQ 원문으로 바꿔 보여 드립니다.",
    "uncited": "AI 답변에 근거가 된 출처가 없어 등록된 FAQ 원문을 보여 드립니다.",
    "too_slow": "AI 답변이 제시간에 끝나지 않아 등록된 FAQ 원문을 보여 드립니다. ‘다시 답변’을 누르면 다시 시도합니다.",
    "model_unavailable": "지금은 AI 모델 없이 등록된 FAQ 원문으로 답합니다. 찾는 내용이 없으면 잠시 후 다시 물어봐 주세요.",
    "interrupted": "답변이 중간에 끊겨 등록된 FAQ 원문을 보여 드립니다. ‘다시 답변’을 누르면 다시 시도합니다.",
}


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language, by default the Korean ones. `{name}` is a placeholder for str.format."""

    language: Language = "ko"
    title: str = "금융 FAQ 상담"
    subtitle: str = "등록된 FAQ에서 찾아 출처와 함께 알려 드립니다"
    welcome: str = "무엇을 도와드릴까요?\n궁금한 점을 평소 말하듯이 적어 주세요."
    starters: str = "자주 찾는 질문"
    notice: str = (
        "답변은 금융 자문이 아니며, 실제 조건은 해당 금융회사에 확인해 주세요. "
        "주민등록번호, 계좌번호, 비밀번호는 입력하지 마세요."
    )
    box_label: str = "질문"
    box_placeholder: str = "궁금한 점을 입력하세요"
    send: str = "보내기"
    stop: str = "멈춤"
    retry: str = "다시 답변"
    clear: str = "새 상담"
    bank: str = "금융회사"
    category: str = "분류"
    everything: str = "전체"
    chat_label: str = "상담 내용"
    your_question: str = "내 질문"
    our_answer: str = "답변"
    scroll_down: str = "맨 아래로"
    loading: str = "자료를 준비하는 중"
    failed: str = "자료를 불러오지 못해 답변할 수 없습니다. 프로그램을 실행한 창의 안내를 확인하고 다시 시작해 주세요."
    waiting: str = "자료가 준비되면 바로 답변합니다."
    searching: str = "자료를 찾는 중 …"
    writing: str = "답변을 쓰는 중 …"
    stopped: str = "답변을 멈췄습니다."
    generated: str = "AI 생성 · 확인 전"
    checked: str = "AI 생성 · 출처 확인"
    partly_checked: str = "AI 생성 · 표시한 문장 외에는 출처 확인"
    weak: str = "일부 표현이 출처에 없음 · 출처를 확인해 주세요"
    own: str = "기관 원문"
    masked: str = "개인정보({kinds})는 가리고 답변했습니다. 상담에 필요하지 않으니 입력하지 마세요."
    empty: str = "질문을 입력해 주세요."
    too_long: str = "질문이 너무 깁니다({length}자). {limit}자 이내로 줄여 주세요."
    unknown_choice: str = "고를 수 없는 값입니다: {value}. 다음 중에서 고르세요: {choices}"
    unexpected: str = "답변하지 못했습니다. 잠시 후 ‘다시 답변’을 눌러 주세요."
    login: str = "금융 FAQ 상담을 이용하려면 로그인해 주세요. 여러 번 틀리면 1분 동안 로그인할 수 없습니다."
    login_name: str = "아이디"
    login_password: str = "비밀번호"  # noqa: S105 - a label
    login_enter: str = "로그인"
    login_wrong: str = "아이디 또는 비밀번호가 맞지 않습니다."
    login_failed: str = "서버에 연결하지 못했습니다. 잠시 후 다시 시도해 주세요."
    login_ended: str = "로그인이 끝났습니다. 페이지를 새로 고쳐 다시 로그인해 주세요."
    busy: str = "지금은 요청이 많습니다. 잠시 후 다시 시도해 주세요."
    wrong_values: str = "요청 형식이 맞지 않습니다. 질문, 금융회사, 분류를 차례로 글자로 보내 주세요."
    turn: str = "앞선 질문에 답하는 중입니다. 차례가 되면 바로 답변합니다."
    sources: str = "출처"
    sources_of: str = "질문: {question}"
    as_of: str = "기준일"
    open_source: str = "원문 보기"
    back: str = "답변으로 돌아가기"
    approved: str = "승인 답변"
    passage: str = "문서 발췌 · 승인 답변 아님"
    guidance: str = "자동 안내"
    more: str = "자세히"
    none_of_these: str = "찾는 질문이 없어요"
    none_chosen: str = "다른 표현으로 다시 물어보시거나 아래로 문의해 주세요."
    copy: str = "복사"
    copied: str = "복사했습니다"
    like: str = "도움이 됐어요"
    dislike: str = "아쉬워요"
    liked: str = "의견을 남겼습니다. 고맙습니다."
    dislike_why: str = "어떤 점이 아쉬웠나요?"
    dislike_reasons: str = "다른 질문의 답이에요|내용이 틀려요|오래된 내용이에요|이해하기 어려워요|그 밖의 이유"
    record: str = "답변 번호 {id}"
    edit: str = "질문 고치기"
    editing: str = "질문을 고치는 중입니다. 보내면 그 뒤의 대화를 바꿉니다."
    undo: str = "되돌리기"
    restored: str = "되돌렸습니다."
    cleared: str = "새 상담을 시작했습니다."
    queued: str = "답변이 끝나면 보냅니다: {question}"
    unqueue: str = "보내지 않기"
    limit_near: str = "{count}/{limit}자"
    automated: str = "이 상담의 답변은 사람이 아니라 자동으로(AI 포함) 제공됩니다."
    skip: str = "질문 입력으로 건너뛰기"
    filters: str = "필터"
    show_sources: str = "출처 {count}건 보기"
    close: str = "닫기"
    answering: str = "답이 되는 문장"
    whole_text: str = "등록된 글 전체"
    no_contact: str = "해당 금융회사 고객센터에 문의해 주세요."
    dark: str = "어두운 화면"
    categories: str = "분야"
    language_note: str = "등록된 FAQ는 한국어로 되어 있습니다."
    new_answer: str = "답변이 도착했습니다."
    new_sources: str = "출처 {count}건이 표시되었습니다."
    no_sources: str = "이 답변에는 출처가 없습니다."
    lost: str = "서버와 연결이 끊겼습니다. 다시 연결되면 화면을 새로 불러옵니다."
    relevance: str = "관련도"
    relevance_words: str = "높음|보통|낮음"
    chats: str = "내 상담"
    search_chats: str = "상담 찾기"
    no_chats: str = "보관된 상담이 없습니다."
    rename: str = "이름 바꾸기"
    new_name: str = "새 이름"
    remove: str = "삭제"
    remove_sure: str = "‘{title}’ 상담을 지울까요? 되돌릴 수 없습니다."
    export: str = "내보내기"
    forget: str = "내 기록 모두 삭제"
    forget_sure: str = "이 브라우저의 상담 기록을 모두 지울까요? 되돌릴 수 없습니다."
    forgotten: str = "기록을 모두 지웠습니다."
    shared: str = "공용 컴퓨터(기록을 남기지 않음)"
    notices: Mapping[Notice, str] = field(default_factory=lambda: _NOTICES)
    errors: Mapping[str, str] = field(default_factory=dict)
    """Messages for visitors by error class; the nearest base class applies. Each error has a Korean message of its own."""

    def step(self, step: str, done: int, total: int) -> str:
        """One line of progress. Step names are Korean, so other languages show the count only."""
        name = step if step and self.language == "ko" else self.loading
        return f"{name} … {done}/{total}" if total else f"{name} …"

    def error(self, error: RagError) -> str:
        """The error's message for visitors. Not `str(error)`, which is for operators: it names endpoints, files and settings."""
        if self.language == "ko":
            return error.korean
        if isinstance(error, InputError):
            return str(error)
        return next(self.errors[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in self.errors)


ASSETS = Path(__file__).with_name("assets")
KOREAN = Texts()
ENGLISH = Texts(**tomllib.loads((ASSETS / "english.toml").read_text(encoding="utf-8")))
TEXTS: Mapping[Language, Texts] = {"ko": KOREAN, "en": ENGLISH}
