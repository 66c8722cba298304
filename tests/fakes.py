"""A fake chat service for tests of the page: deterministic, and recording its inputs."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from rag.errors import ModelUnavailable
from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, Filters, Source, SourcesFound, Turn

SOURCES = (
    Source(
        number=1,
        id="snb-014",
        question="OTP를 분실하였을 경우 어떻게 해야 하나요?",
        text="고객센터 1500-0101로 먼저 신고해 주세요.\n\n[경로]\n- 모바일: 전체메뉴 > 인증/보안 > OTP\n1. 신고\n2. 재발급",
        score=0.912,
        metadata={
            "bank": "새나래은행",
            "category": "인증서",
            "effective_from": "2025-03-04",
            "source_url": "https://faq.saenarae.example/otp/snb-014",
        },
    ),
    Source(
        number=2,
        id="dds-020",
        question="앱 OTP 재발급 절차를 알려 주세요.",
        text="도담뱅크 앱에서 무료로 재발급하실 수 있습니다.",
        score=0.54,
        metadata={"bank": "도담저축은행", "category": "인증서", "effective_from": "2025-01-01"},
    ),
    Source(
        number=3,
        id="mrs-007",
        question="OTP 이용등록은 어떻게 하나요?",
        text="미르누리M에서 등록하실 수 있습니다.",
        score=0.31,
        metadata={"bank": "미르누리증권", "category": "인증서", "source_url": "javascript:alert(1)"},
    ),
)
PIECES = (
    "OTP를 분실하셨다면 먼저 사고신고를 해 주세요. [1]\n",
    "- 모바일: 전체메뉴 > 인증/보안\n",
    "재발급은 앱에서 무료입니다. [2]",
)

LONG = "기관마다 내용이 달라 각각 안내해 드립니다.\n\n" + "\n\n".join(
    f"{source.metadata['bank']}\n"
    + "\n".join(f"{step}. 인증/보안 메뉴에서 순서대로 진행해 주세요." for step in range(1, 16))
    for source in SOURCES
)
"""An answer taller than the browser windows of the tests."""

TABLE = "\n".join(
    " | ".join(cells)
    for cells in [
        ("상품", *(f"{months}개월" for months in (1, 3, 6, 12, 24, 36)), "가입 방법"),
        *(
            (f"도담 든든예금 {row}호", *(f"연 {row}.{month}%" for month in range(6)), "영업점·앱")
            for row in range(1, 31)
        ),
    ]
)
"""An answer with a table that is wider than a phone, and long."""

HOSTILE = """<b>굵게</b> <img src=http://evil.example/x.png onerror="document.title='bad'"> &lt; &#60;
<List> <thinking>음</thinking>
<form action=http://evil.example/><input name=q></form> <div style="position:fixed;inset:0;background:red">덮기</div>
<script>document.title='bad'</script> <a href="javascript:alert(1)">x</a> [링크](javascript:alert(1)) [1](http://evil.example/)
![그림](http://evil.example/i.png) [x][y] [7] http://evil.example/ www.evil.example a@b.example

[y]: http://evil.example/
# 제목 하나
제목 둘
===
| 가 | 나 |
|---|---|
| 1 | 2 |
`코드` ```블록``` 1~2% ~3~ ~~지움~~ 10*20*30 *기울임* **굵게** _밑줄_ $$x^2$$ \\(y\\) ${alert(1)} \\x3cb\\x3e {{x}}
- 하나
  - 둘
* 셋
1. 넷
2) 다섯
> 인용
    네 칸 들여쓰기   세 칸"""


class FakeChat:
    """A chat service whose answer depends on words in the question.

    "비슷": suggested. "점심": declined. "오류": ModelUnavailable. "위험": HOSTILE everywhere. "빠진": notice withheld.
    "여러": LONG. "금리표": TABLE.
    "기다": waits after each piece until `released` is set; the stream cannot be closed while it waits.
    "끝없": streams until it is closed.
    Other questions are answered with PIECES and SOURCES. `ended` is set whenever a stream ends.
    """

    def __init__(self, *, warnings: Sequence[str] = ()) -> None:
        self.warnings: Sequence[str] = warnings
        self.writes = True
        self.versions: Mapping[str, str] = {"program": "fake"}
        self.contact = "고객센터 1500-0101"
        self.chosen: list[str | None] = []
        self.asked: list[tuple[str, tuple[Turn, ...], Filters | None]] = []
        self.opened = 0
        self.closed = 0
        self.released = threading.Event()
        self.ended = threading.Event()

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None, *, row: str | None = None
    ) -> Generator[AnswerEvent, None, None]:
        self.asked.append((question, tuple(history), filters))
        self.chosen.append(row)
        self.opened += 1
        try:
            yield from self._events(question)
        finally:
            self.closed += 1
            self.ended.set()

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        events = list(self.stream(question, history, filters))
        assert isinstance(events[-1], AnswerCompleted)
        return events[-1].answer

    def facets(self) -> Mapping[str, Sequence[str]]:
        return {"bank": ["새나래은행", "도담저축은행", "미르누리증권"], "category": ["인증서", "이체"]}

    def topics(self) -> Mapping[str, Sequence[str]]:
        return {"인증서": ["OTP를 잃어버렸어요", "비슷한 질문이 있나요?"], "이체": ["이체한도를 늘리고 싶어요"]}

    def answer(self, question: str) -> Answer:
        return answer_to(question)

    def _events(self, question: str) -> Generator[AnswerEvent, None, None]:
        if "오류" in question:
            raise ModelUnavailable("the endpoint faq-llm does not answer")
        answer = self.answer(question)
        yield SourcesFound(answer.status, answer.sources)
        for piece in answer.text.splitlines(keepends=True):
            yield AnswerDelta(piece)
            if "기다" in question:
                self.released.wait()
            while "끝없" in question:
                yield AnswerDelta("계속 ")
                time.sleep(0.01)
        yield AnswerCompleted(answer)


def answer_to(question: str) -> Answer:
    """The answer that FakeChat gives."""
    more: dict[str, Any] = {"notice": "withheld"} if "빠진" in question else {}
    if "비슷" in question:
        return Answer(question, "혹시 아래 질문을 찾으시나요?", "suggested", sources=SOURCES)
    if "점심" in question:
        return Answer(question, "금융 업무와 관련된 질문에만 답해 드릴 수 있습니다.", "declined", reason="off_topic")
    if "위험" in question:
        hostile = Source(1, HOSTILE, HOSTILE, HOSTILE, 0.5, dict.fromkeys(("bank", "category", "source_url"), HOSTILE))
        return Answer(question, HOSTILE, "answered", sources=(hostile,), cited=(1,))
    text = LONG if "여러" in question else TABLE if "금리표" in question else "".join(PIECES)
    return Answer(question, text, "answered", sources=SOURCES, cited=(1, 2), timings_ms={"total": 12.5}, **more)
