"""The commands search, ask, calibrate and evaluate."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ModelUnavailable
from rag.factory import chat as build
from rag.retrieval import score_scales
from rag.retrieval.confidence import defaults
from rag.ui.auth import load_users
from tests.conftest import ROOT
from tests.fakes_llm import ScriptedLLM
from tests.integration.conftest import Run
from tests.small_faq import ANSWERS, FEE, GAON, LIMIT, NARU, ROWS

OFF_TOPIC = [
    "날씨",
    "야구",
    "저녁 메뉴",
    "영화 추천",
    "강아지 산책",
    "노래 가사",
    "여행지",
    "축구 경기",
    "커피",
    "수학 문제",
]
IN_FORCE = [row for row in ROWS if row[0] not in ("g-003", "g-005")]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
"""Of real processes: no settings, and output buffered as for users."""

CANCEL = "공모주 청약을 취소할 수 있나요?"

pytestmark = pytest.mark.usefixtures("small")


def write(file: Path, *lines: dict[str, Any]) -> str:
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return str(file)


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> ScriptedLLM:
    """The configured language model."""
    made = ScriptedLLM(["마감일 16시까지 취소하실 수 있습니다. [1]"])
    monkeypatch.setattr(build, "language_model", lambda settings: made)
    return made


@pytest.fixture
def queries(tmp_path: Path) -> str:
    """Each row's question, and without its polite ending."""
    lines = [
        {"id": f"{row[0]}{style}", "query": text, "relevant": relevant, "style": style}
        for row in IN_FORCE
        for relevant in [["g-001", "n-001"] if row[1] == LIMIT else [row[0]]]
        for style, text in (("whole", row[1]), ("short", row[1][: len(row[1]) // 2 + 2]))
    ]
    return write(tmp_path / "queries.jsonl", *lines)


@pytest.fixture
def outside(tmp_path: Path) -> str:
    lines = [
        {"id": f"{kind}{number}", "query": f"{text} {ending}", "kind": kind}
        for kind, ending in (("other", "알려 주세요"), ("chat", "좋아하세요?"))
        for number, text in enumerate(OFF_TOPIC)
    ]
    return write(tmp_path / "outside.jsonl", *lines)


def test_search_lists_the_nearest_rows(run: Run) -> None:
    ran = run("search", "공모주 청약 취소", "-k", "3", "--index", "small")
    lines = ran.out.splitlines()
    assert (ran.code, len(lines)) == (0, 3)
    assert lines[0].startswith("[1] ") and "n-002" in lines[0] and NARU in lines[0]


def test_an_answer_comes_without_log_lines_unless_they_are_asked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSI_LOG__LEVEL")
    for command in ("ask", "search"):
        ran = run(command, CANCEL, "--index", "small")
        assert (ran.code, ran.err) == (0, "") and ran.out
    monkeypatch.setenv("FSI_LOG__LEVEL", "INFO")
    assert "INFO rag.chat: status=answered" in run("ask", CANCEL, "--index", "small").err
    monkeypatch.setenv("FSI_LOG__LEVEL", "")
    (tmp_path / ".env").write_text("FSI_LOG__LEVEL=INFO\n", encoding="utf-8")
    assert "INFO rag.chat: status=answered" in run("ask", CANCEL, "--index", "small").err


def test_ingest_still_logs_from_info_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSI_LOG__LEVEL")
    run("ingest", str(tmp_path / "gone.csv"), "--index", "mine")
    assert logging.getLogger("rag").level == logging.INFO
    run("ask", CANCEL, "--index", "small")
    assert logging.getLogger("rag").level == logging.WARNING


def test_search_json_is_the_designed_object(run: Run) -> None:
    found = run("search", LIMIT, "-k", "2", "--index", "small", "--json").json()
    assert set(found) == {"question", "sources"} and found["question"] == LIMIT
    assert [source["number"] for source in found["sources"]] == [1, 2]
    assert set(found["sources"][0]) == {"number", "id", "question", "score", "metadata"}
    assert {source["id"] for source in found["sources"]} == {"g-001", "n-001"}


def test_search_sums_up_each_row_on_request(run: Run) -> None:
    found = run("search", LIMIT, "-k", "2", "--index", "small", "--json", "--summarize").json()["sources"]
    assert all(source["summary"] and not source["summary_generated"] for source in found)
    assert found[0]["summary"] in run("search", LIMIT, "-k", "2", "--index", "small", "--summarize").out


def test_search_filters_and_days(run: Run) -> None:
    only = run("search", LIMIT, "--filter", f"bank={NARU}", "--index", "small", "--json").json()["sources"]
    assert only and {source["metadata"]["bank"] for source in only} == {NARU}
    both = ("--filter", f"bank={NARU}", "--filter", "category=배당")
    assert [s["id"] for s in run("search", LIMIT, *both, "--index", "small", "--json").json()["sources"]] == ["n-004"]
    none = ("--filter", f"bank={GAON}", "--filter", "category=배당")
    nothing = run("search", LIMIT, *none, "--index", "small", "--json")
    assert nothing.json()["sources"] == []
    for day, row in (("2024-12-31", "g-003"), ("2025-01-01", "g-004")):
        assert run("search", FEE, "--as-of", day, "--index", "small", "--json").json()["sources"][0]["id"] == row


def test_search_explains_itself(run: Run) -> None:
    asked = "비번이랑 한도 서류가 궁금해요"
    out = run("search", asked, "--explain", "--index", "small").out
    assert f"query: {asked} 비밀번호" in out
    for part in ("dense ", "tokens ", "jamo ", "signals: top ", "outcome: suggested; confidence 0."):
        assert part in out
    assert f"(suggested from {defaults().suggested:.3f})" in out
    assert ", off_topic)" in run("search", "비번이랑 저녁 메뉴", "--explain", "--index", "small").out
    none = ("--filter", f"bank={GAON}", "--filter", "category=배당")
    nothing = run("search", "한도", "--explain", *none, "--index", "small")
    assert nothing.code == 0 and "outcome: declined" in nothing.out


def test_ask_prints_the_answer_and_its_sources(run: Run) -> None:
    out = run("ask", "공모주 청약을 취소할 수 있나요?", "--index", "small").out
    assert out.startswith(f"{NARU}\n{ANSWERS['n-002']} [1]\n[1] ") and "n-002" in out


def test_ask_json_is_the_designed_object(run: Run) -> None:
    answered = run("ask", FEE, "--as-of", "2024-12-31", "--index", "small", "--json").json()
    assert list(answered) == ["question", "status", "reason", "notice", "answer", "sources", "timings_ms"]
    assert (answered["status"], answered["sources"][0]["id"]) == ("answered", "g-003")
    assert answered["answer"] == f"{GAON}\n{ANSWERS['g-003']} [1]"
    greeted = run("ask", "안녕하세요", "--index", "small", "--json").json()
    assert (greeted["status"], greeted["reason"], greeted["sources"]) == ("declined", "greeting", [])


@pytest.mark.parametrize("command", ["search", "ask"])
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["질문", "--as-of", "2024-13-01"], "--as-of: expected a date YYYY-MM-DD; got '2024-13-01'"),
        (["질문", "--as-of", "yesterday"], "--as-of: expected a date YYYY-MM-DD; got 'yesterday'"),
        (["질문", "--filter", "bank"], "--filter: expected KEY=VALUE; got 'bank'"),
        (["질문", "--filter", "=x"], "--filter: expected KEY=VALUE; got '=x'"),
        (["질문", "--filter", "bank= "], "--filter: expected KEY=VALUE; got 'bank= '"),
        (["한도", "--filter", "bnk=x", "--index", "small"], "--filter bnk=…: no row has 'bnk'; use a column"),
        (
            ["한도", "--filter", "bank=없는은행", "--index", "small"],
            f"bank=없는은행: no row has it; bank is one of {GAON}, {NARU}",
        ),
        (["질문", "--index", "gone"], "there is no index 'gone'"),
        (["질문", "--index", "Bad"], "invalid index name 'Bad'"),
        (["  ", "--index", "small"], "the question is empty"),
        (["가" * 1001, "--index", "small"], "at most 1000 characters; got 1001"),
        (["\udcff 한도", "--index", "small"], "not valid UTF-8"),
    ],
)
def test_a_question_that_is_refused(run: Run, command: str, arguments: list[str], line: str) -> None:
    assert line in run(command, *arguments).refused()


@pytest.mark.parametrize("option", [["--as-of", "someday"], ["--filter", "bank"]])
def test_a_wrong_option_is_reported_before_an_index_is_built(run: Run, tmp_path: Path, option: list[str]) -> None:
    run("ask", "질문", *option).refused()
    assert sorted(path.name for path in (tmp_path / ".fsi" / "indexes").iterdir()) == ["small"]


def test_calibrate_without_labels_scales_by_the_rows(run: Run, small: Path) -> None:
    before = run("index", "show", "small", "--json").json()["manifest"]["calibration"]
    found = run("calibrate", "--index", "small").json()
    assert found["origin"] == "own rows" and found["fusion"] == before["fusion"]


def test_calibrate_with_labels_applies_what_it_prints(
    run: Run, queries: str, outside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The threshold is so high that hardly anything passes it; the labels lower it."""
    strict = replace(defaults(), answered=1.0)
    monkeypatch.setattr(score_scales, "defaults", lambda *, dense: strict)
    labels = ("--queries", queries, "--out-of-domain", outside, "--index", "small")
    before = run("index", "show", "small", "--json").json()["manifest"]["calibration"]
    ran = run("calibrate", *labels)
    found = ran.json()
    assert "before: answered 0." in ran.err and "after:  answered 0." in ran.err
    assert found["origin"] == "labels" and set(found) == set(before)
    assert found["answered"] < 1.0 and found["correct"] == before["correct"], "thresholds alone move"
    assert run("index", "show", "small", "--json").json()["manifest"]["calibration"] == before, "not without --apply"
    applied = run("calibrate", *labels, "--apply")
    assert applied.json() == found and "written to the index's manifest" in applied.err
    stored = run("index", "show", "small", "--json").json()["manifest"]["calibration"]
    assert found == {**stored, "unheld": len(stored["unheld"].split())}, "the words are counted, not printed"
    assert run("ask", "야구 좋아하세요?", "--index", "small", "--json").json()["status"] == "declined"


def test_calibrate_applies_no_loss(run: Run, tmp_path: Path, outside: str) -> None:
    """Labels for which every answer is wrong must not lower the thresholds."""
    names = [row[0] for row in IN_FORCE]
    lines = [
        {"id": row[0], "query": row[1], "relevant": [names[(at + 1) % len(names)] if at else row[0]]}
        for at, row in enumerate(IN_FORCE)
    ]
    wrong = write(tmp_path / "wrong.jsonl", *lines)
    before = run("index", "show", "small", "--json").json()["manifest"]["calibration"]
    ran = run("calibrate", "--queries", wrong, "--out-of-domain", outside, "--index", "small", "--apply")
    assert ran.code == 0 and "no gain" in ran.err and "written to" not in ran.err
    assert run("index", "show", "small", "--json").json()["manifest"]["calibration"] == before


def test_calibrate_needs_both_files_and_enough_labels(run: Run, tmp_path: Path, queries: str, outside: str) -> None:
    assert (
        "expected both --queries and --out-of-domain"
        in run("calibrate", "--queries", queries, "--index", "small").refused()
    )
    few = write(tmp_path / "few.jsonl", {"id": "1", "query": CANCEL, "relevant": ["n-002"]})
    one = write(tmp_path / "one.jsonl", {"id": "1", "query": "날씨"})
    labels = ("--queries", few, "--out-of-domain", one, "--index", "small")
    assert "at least 20 labels" in run("calibrate", *labels).refused()
    gone = ("--queries", "gone.jsonl", "--out-of-domain", outside, "--index", "small")
    assert "gone.jsonl: cannot be read" in run("calibrate", *gone).refused()


def test_evaluate_prints_and_writes_the_designed_report(run: Run, tmp_path: Path, queries: str, outside: str) -> None:
    talks = write(
        tmp_path / "talks.jsonl", {"id": "m", "turns": ["공모주 청약했어요", "취소는요?"], "relevant": ["n-002"]}
    )
    files = ("--queries", queries, "--out-of-domain", outside, "--multi-turn", talks)
    ran = run("evaluate", "retrieval", *files, "--index", "small", "--json", "report.json")
    assert ran.code == 0 and ran.out.startswith(f"== {queries}\n") and "answered_precision" in ran.out
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report) == {"retrieval", "outcomes", "refusal", "multi_turn", "settings"}
    everything = report["retrieval"]["all"]
    assert everything["n"] == 2 * len(IN_FORCE) and everything["hit@1"] > 0.7
    assert {"hit@1", "hit@3", "hit@5", "mrr@10", "ndcg@10"} <= set(everything)
    assert set(report["retrieval"]["by_style"]) == {"whole", "short"}
    assert set(report["outcomes"]["refused_by_kind"]) == {"other", "chat"} and report["outcomes"]["refused"] > 0.9
    assert set(report["refusal"]) == {"auc", "accepted_at_95_refused", "aurc", "in_conversation"}
    assert (report["multi_turn"]["n"], report["multi_turn"]["hit@3"]) == (1, 1.0)


def test_evaluate_needs_questions_and_a_place_for_its_report(run: Run, tmp_path: Path, queries: str) -> None:
    assert "cannot be read" in run("evaluate", "retrieval", "--queries", "gone.jsonl", "--index", "small").refused()
    none = write(tmp_path / "none.jsonl")
    assert (
        "expected at least one question"
        in run("evaluate", "retrieval", "--queries", none, "--index", "small").refused()
    )
    for place in ("no/such/folder/out.json", str(tmp_path)):
        files = ("--queries", queries, "--index", "small", "--json", place)
        assert f"{place}: cannot be written" in run("evaluate", "retrieval", *files).refused()


def process(*arguments: str, cwd: Path, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a real process with `typed` as its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "rag", *arguments],
        input=typed,
        cwd=cwd,
        env=ENVIRONMENT | settings,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def test_a_real_process_answers_in_json_alone(tmp_path: Path) -> None:
    ran = process(
        "ask", LIMIT, "--index", "small", "--json", cwd=tmp_path, FSI_LOG__FORMAT="json", FSI_LOG__LEVEL="INFO"
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["status"] == "answered"
    assert [json.loads(line)["logger"] for line in ran.stderr.splitlines()] == ["rag.chat"]
    assert LIMIT not in ran.stderr


def test_lines_of_standard_input_are_one_conversation(tmp_path: Path) -> None:
    """A follow-up, a choice among the rows shown, and blank lines; alone, neither message finds its row."""
    typed = f"\ufeff{LIMIT}\n\n2번\n공모주 청약했어요\n  취소는요?"
    ran = process("ask", "--index", "small", "--json", cwd=tmp_path, typed=typed)
    assert (ran.returncode, ran.stderr) == (0, "")
    turns = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [turn["question"] for turn in turns] == [LIMIT, "2번", "공모주 청약했어요", "취소는요?"]
    assert [source["id"] for source in turns[1]["sources"]] == [turns[0]["sources"][1]["id"]]
    assert turns[3]["sources"][0]["id"] == "n-002"


def test_a_conversation_is_printed_with_its_messages_and_without_what_was_refused(tmp_path: Path) -> None:
    typed = f"{'가' * 1001}\n\udcff\n{CANCEL}\n"
    ran = process("ask", "--index", "small", cwd=tmp_path, typed=typed)
    assert ran.returncode == 1
    assert f"> {CANCEL}\n{NARU}\n{ANSWERS['n-002']} [1]\n[1] " in ran.stdout
    too_long, unreadable = ran.stderr.splitlines()
    assert too_long.startswith("error: message 1: the question is too long")
    assert unreadable == "error: message 2: the question is not valid UTF-8 text"
    none = process("ask", "--index", "small", cwd=tmp_path, typed="\n \n")
    assert (none.returncode, none.stdout) == (1, "") and "expected a question" in none.stderr


def test_at_a_terminal_each_message_is_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = io.StringIO(f"{CANCEL}\n\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    ran = run("ask", "--index", "small", "--json")
    assert (ran.json()["question"], ran.err) == (CANCEL, "> " * 3), "twice more: a blank line, and the end"


def test_a_program_can_wait_for_each_answer_before_it_asks_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rag", "ask", "--index", "small", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as ask:
        assert ask.stdin and ask.stdout
        for message in (LIMIT, CANCEL):
            print(message, file=ask.stdin, flush=True)
            assert json.loads(ask.stdout.readline())["question"] == message


def test_a_real_process_refuses_in_one_line(tmp_path: Path) -> None:
    ran = process("search", LIMIT, "--index", "small", cwd=tmp_path, FSI_NONSENSE="1")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "error: unknown setting: FSI_NONSENSE; `python -m rag config` lists them\n"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """As in `python -m rag config | head -1`, where head may end first."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "rag", "config"]
    ran = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_a_password_is_typed_at_a_terminal_and_not_shown(tmp_path: Path) -> None:
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-m", "rag", "user", "add", "kim", "--auth-file", "users"]
    with subprocess.Popen(
        [sys.executable, "-c", spawn, *command],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as terminal:
        assert terminal.stdin and terminal.stdout
        shown = b""
        for prompt in (b"password: ", b"again: "):
            while not shown.endswith(prompt):
                read = terminal.stdout.read(1)
                assert read, f"it ended after {shown!r}"
                shown += read
            terminal.stdin.write(b"correct horse battery\n")
        shown += terminal.stdout.read()
    assert terminal.returncode == 0 and b"kim: login added" in shown
    assert b"horse" not in shown and "kim" in load_users(tmp_path / "users")


def test_a_models_answer_is_distinguished_from_a_quote(
    run: Run, llm: ScriptedLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run("ask", CANCEL, "--index", "small").out.splitlines()
    assert said[:3] == [
        "(written by a language model, checked against its sources)",
        "나루증권",
        "마감일 16시까지 취소하실 수 있습니다. [1]",
    ]
    monkeypatch.setattr(build, "language_model", lambda settings: ScriptedLLM([ModelUnavailable("gone")]))
    said = run("ask", CANCEL, "--index", "small").out.splitlines()
    assert said[:3] == ["나루증권", f"{ANSWERS['n-002']} [1]", "(notice: model_unavailable; this is the approved text)"]


def test_the_object_of_an_answer_is_the_same_with_a_model(run: Run, llm: ScriptedLLM) -> None:
    answer = run("ask", CANCEL, "--index", "small", "--json").json()
    assert list(answer) == ["question", "status", "reason", "notice", "answer", "sources", "timings_ms"]
    assert (answer["status"], answer["notice"], answer["sources"][0]["id"]) == ("answered", None, "n-002")


def test_verbatim_mode_never_asks_the_model(run: Run, llm: ScriptedLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSI_CHAT__ANSWER_MODE", "verbatim")
    assert run("ask", CANCEL, "--index", "small").out.startswith(f"{NARU}\n{ANSWERS['n-002']} [1]\n")
    assert llm.prompts == []
