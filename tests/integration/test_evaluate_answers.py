"""`rag evaluate answers`: the report over a file of claims, and invalid files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.conftest import Run

PASSAGE = "가온은행\n이체 수수료는 얼마인가요?\n다른 은행으로 보내실 때 이체 수수료는 건당 500원입니다."
CLAIMS = (
    ("a", "이체 수수료는 건당 500원입니다.", True, "number"),
    ("b", "이체 수수료는 건당 700원입니다.", False, "number"),
    ("c", "이체 수수료는 건당 500달러입니다.", False, "unit"),
    ("d", "이체하시면 커피 쿠폰을 드립니다.", False, "invented"),
)


def write(file: Path, **changes: object) -> str:
    lines = [
        {"id": name, "passages": [PASSAGE], "sentence": sentence, "supported": supported, "type": kind, **changes}
        for name, sentence, supported, kind in CLAIMS
    ]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return str(file)


def test_flagged_claims_are_counted_by_type(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    ran = run("evaluate", "answers", "--claims", write(tmp_path / "claims.jsonl"), "--json", str(out))
    assert ran.code == 0 and "false alarms" in ran.out
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["by_type"] == {kind: {"n": 1, "flagged": 1} for kind in ("number", "unit", "invented")}
    assert (report["false_alarms"], report["f1"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"supported": "yes"}, "supported"), ({"passages": "text"}, "passages"), ({"sentence": ""}, "sentence")],
)
def test_a_malformed_claim_is_named(run: Run, tmp_path: Path, changes: dict[str, object], words: str) -> None:
    assert words in run("evaluate", "answers", "--claims", write(tmp_path / "claims.jsonl", **changes)).refused()


def test_the_file_must_be_given(run: Run) -> None:
    for what, option in (("answers", "--claims"), ("retrieval", "--queries")):
        ran = run("evaluate", what)
        assert ran.code == 2 and option in ran.err
