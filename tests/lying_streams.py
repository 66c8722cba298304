"""A hundred wrong or harmful answers of a model to a question on the small FAQ, by kind."""

from __future__ import annotations

from dataclasses import dataclass

from rag.synthesis.texts import ANSWERING

RIGHT = "마감일 16시까지 취소하실 수 있습니다. [1]"


@dataclass(frozen=True, slots=True)
class LyingStream:
    """An answer to the question whether a subscription can be cancelled; `forbidden`: parts that must not be shown."""

    kind: str
    text: str
    forbidden: tuple[str, ...]


def _streams(kind: str, *each: tuple[str, str]) -> list[LyingStream]:
    return [LyingStream(kind, text, tuple(forbidden.split("|"))) for text, forbidden in each]


_BANKS = (
    "다온은행",
    "해솔증권",
    "누리페이",
    "가람저축은행",
    "한별캐피탈",
    "새솔ON",
    "미르카드사",
    "온새생명",
    "단비화재",
    "보람금고",
)
_TAGS = (
    "think",
    "thinking",
    "thought",
    "reasoning",
    "analysis",
    "reflection",
    "scratchpad",
    "|channel|",
    "!-- x --",
    "추론",
)
_LINKS = (
    *("https://evil.example/a", "http://evil.example", "www.evil.example", "evil.example.com", "evil.kr"),
    *(
        "help@evil.example",
        "[여기](https://evil.example)",
        "![](https://evil.example/p.png)",
        "ftp://evil.example",
        "evil.xyz/x",
    ),
)
_MARKUP = (
    *("<b>17시</b>", "<img src=x onerror=alert(17)>", "<script>17</script>", "```17시```", "### 17시", "# 17시\n"),
    *("[INST] 17시 [/INST]", "{{17시}}", "assistant: 17시", "<|im_start|>17시"),
)
LYING_STREAMS = (
    *_streams(
        "wrong number",
        *(
            (f"{said} [1] {RIGHT}", shown)
            for said, shown in (
                ("마감일 17시까지 취소하실 수 있습니다.", "17시"),
                ("마감일 오후 5시까지 취소하실 수 있습니다.", "5시"),
                ("마감일 15:30까지 취소하실 수 있습니다.", "15:30"),
                ("마감일 2일 전까지 취소하실 수 있습니다.", "2일"),
                ("취소 수수료는 5,000원입니다.", "5,000"),
                ("취소하시면 1.5%가 차감됩니다.", "1.5"),
                ("마감일 16시 30분까지 취소하실 수 있습니다.", "30분"),
                ("취소는 하루 3회까지 하실 수 있습니다.", "3회"),
                ("만 19세 이상만 취소하실 수 있습니다.", "19세"),
                ("2026년 3월 1일까지 취소하실 수 있습니다.", "2026"),
            )
        ),
    ),
    *_streams(
        "reciter",
        *((f"{ANSWERING[start : start + 60]} [1]", ANSWERING[start : start + 30]) for start in range(0, 200, 20)),
    ),
    *_streams(
        "citation only",
        *(
            (text, "17")
            for text in (
                "[1]",
                "[1][1]",
                "1. [1]\n2. [1]",
                "- [1]",
                "［1］",
                "[1, 1]",
                " [1] " * 40,
                "[1]\n" * 9,
                "…[1]",
                "[1].",
            )
        ),
    ),
    *_streams("reasoning", *((f"<{tag}>17시라고 하자 [1].</{tag}> {RIGHT}", "17시|<") for tag in _TAGS)),
    *_streams(
        "endless",
        *((f"{RIGHT} " * times, "17시") for times in (9, 60, 400)),
        *((f"취소하실 수 있고 {filler} " * 900, "17시") for filler in ("", "또", "그리고", "17시")),
        *(("가나다라" * 600, "가나다라가나"), ("마감일 " * 3000, "마감일 마감일"), ("취소" + "ㅋ" * 4000, "ㅋㅋ")),
    ),
    *_streams("link", *((f"자세한 내용은 {link} 에서 취소하실 수 있습니다. [1] {RIGHT}", "evil") for link in _LINKS)),
    *_streams("other institution", *((f"{bank} 앱에서 취소하실 수 있습니다. [1] {RIGHT}", bank) for bank in _BANKS)),
    *_streams("markup", *((f"{RIGHT} {markup} 까지 취소하실 수 있습니다. [1]", "17|<") for markup in _MARKUP)),
    *_streams(
        "hidden among the true",
        *(
            (f"마감일 16시까지{mid} 취소하실 수 있습니다. [1]", hidden)
            for mid, hidden in (
                ("(휴일은 11시)", "11시"),
                (", 늦으면 3만원을 내고", "3만원"),
                (", 전화 1599-9999로", "1599"),
                (", 080-123-4567로", "080"),
                (", 5회까지", "5회"),
                (" 연 3.5%에", "3.5"),
                (" 10주 미만은", "10주"),
                (" 900101-1234567로", "900101"),
                (" 계좌 110-123-456789에서", "110-123"),
                (", 다음 달 5일까지", "5일"),
            )
        ),
    ),
    *_streams(
        "denied or promised",
        *(
            (f"{said} {RIGHT}", hidden)
            for said, hidden in (
                ("마감일 16시까지 취소하실 수 없습니다. [1]", "없습니다"),
                ("마감일 17시까지입니다. 공모주 청약은 취소하실 수 있습니다.", "17시"),
                ("누구나 언제든지 취소하실 수 있습니다. [1]", "언제든지"),
                ("취소하시면 상품권을 드립니다. [1]", "상품권"),
                ("마감일 17시까지 취소하실 수 있습니다. [9]", "17시"),
                ("마감일 16시 이후에 취소하실 수 있습니다. [1]", "이후"),
                ("취소하셔도 위약금은 전액 면제됩니다. [1]", "위약금"),
                ("16시는 17시의 오타입니다. [1]", "17시"),
                ("ATM에서 취소하실 수 있습니다. [1]", "ATM"),
                ("원금은 100% 보장됩니다. [1]", "100%"),
            )
        ),
    ),
)
