"""What passages of an invented institution state, and what they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.evaluation.claims import evaluate_claims
from rag.evaluation.datasets import Claim, read_claims
from rag.synthesis.verification import RuleVerifier

PASSAGE = """가온은행
자유적금은 어떻게 가입하나요?
자유적금은 만 14세 이상 개인 고객이 가온 앱 또는 영업점에서 가입하실 수 있으며, 월 1만원 이상 100만원 이하로 넣으실 수 있습니다.

[이율]
- 6개월 이상 12개월 미만: 연 2.5%
- 12개월 이상: 연 3.1%

[중도해지 수수료]
- 가입 후 30일 이내의 해지: 무료
- 그 밖의 해지: 3,000원

지정일이 휴일이면 다음 영업일에 출금됩니다. 자동이체를 등록하신 고객에 한하여 우대이율이 적용됩니다.
※ 법인은 가입하실 수 없습니다. 문의 1500-1111"""
CLAIMS = Path(__file__).parents[2] / "data" / "evaluation"


@pytest.mark.parametrize(
    "sentence",
    [
        "자유적금은 만 14세 이상이면 앱에서 가입하실 수 있습니다. [1]",
        "매월 1만 원에서 100만 원까지 넣으실 수 있습니다.",
        "12개월 이상이면 연 3.1%입니다.",
        "휴일이면 다음 영업일에 출금됩니다.",
        "법인은 가입할 수 없습니다.",
        "가온은행 1500-1111로 문의하실 수 있습니다.",
    ],
)
def test_what_a_passage_states_is_supported(sentence: str) -> None:
    assert RuleVerifier().verify(sentence, [PASSAGE]).status != "withheld"


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("자유적금은 만 17세 이상이면 가입하실 수 있습니다.", "quantity"),
        ("12개월 이상이면 연 3.1%p입니다.", "quantity"),
        ("12개월 이상이면 연 2.5%입니다.", "quantity"),
        ("만 14세 이하 고객이 가입하실 수 있습니다.", "quantity"),
        ("월 1만 달러부터 넣으실 수 있습니다.", "quantity"),
        ("휴일이면 이전 영업일에 출금됩니다.", "quantity"),
        ("1500-2222로 문의하실 수 있습니다.", "quantity"),
        ("나루은행 앱에서 가입하실 수 있습니다.", "entity"),
        ("자유적금은 ATM에서 가입하실 수 있습니다.", "entity"),
        ("누구나 자유적금에 가입하실 수 있습니다.", "condition"),
        ("법인도 가입하실 수 있습니다.", "polarity"),
        ("가입하시면 여행 상품권을 드립니다.", "words"),
        ("네, 가능합니다.", "words"),
    ],
)
def test_what_it_does_not_state_is_withheld(sentence: str, reason: str) -> None:
    finding = RuleVerifier().verify(sentence, [PASSAGE])
    assert (finding.status, finding.reason) == ("withheld", reason), finding


@pytest.mark.parametrize("name", ["claims.dev.jsonl", "claims.reworded.dev.jsonl"])
def test_the_claims_the_checks_were_fitted_on(name: str) -> None:
    report = evaluate_claims(read_claims(CLAIMS / name), RuleVerifier())
    print(json.dumps(report, ensure_ascii=False))
    caught = sum(report["by_type"][kind]["flagged"] for kind in ("number", "unit", "date"))
    assert caught >= 0.98 * sum(report["by_type"][kind]["n"] for kind in ("number", "unit", "date"))
    assert report["f1"] >= 0.93
    assert report["false_alarms"] <= 0.03


def test_a_claim_with_markers_cites_the_passages_of_these_places() -> None:
    passages = ("이체 수수료는 건당 500원입니다.", "1일 이체한도는 최고 5억원입니다.")
    claims = [
        Claim(str(number), passages, sentence, is_supported, "wrong_citation")
        for number, (sentence, is_supported) in enumerate(
            [
                ("수수료는 건당 500원입니다 [1].", True),
                ("수수료는 건당 500원입니다.", True),
                ("수수료는 건당 500원이고 [1] 이체한도는 5억원입니다 [2].", True),
                ("수수료는 건당 500원입니다 [2].", False),
                ("수수료는 건당 500원이고 [2] 이체한도는 5억원입니다 [1].", False),
            ]
        )
    ]
    report = evaluate_claims(claims, RuleVerifier())
    assert report["by_type"] == {"wrong_citation": {"n": 2, "flagged": 2}}
    assert report["false_alarms"] == 0
