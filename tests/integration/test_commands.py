"""The commands for indexes, settings and logins: output and error messages."""

from __future__ import annotations

import getpass
import io
import json
import re
import shutil
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from rag.cli import commands, index_list
from rag.errors import ModelUnavailable, StoreError
from rag.factory.bundled_vectors import bundled_name
from rag.factory.models import Models
from rag.ingestion.embedding import manifest_of
from rag.settings import list_settings
from rag.stores.faiss.store import FaissStore
from rag.ui.auth import load_users, verify
from tests.fakes_embedding import HashedEmbedding
from tests.integration.conftest import Run
from tests.small_faq import ROWS, write_faq


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["ingest"],
        ["search"],
        ["search", "질문", "-k", "0"],
        ["search", "질문", "-k", "many"],
        ["ask", "질문", "--no-such-option"],
        ["index", "rename", "small"],
        ["user", "remove", "kim"],
        ["evaluate", "retrieval"],
        ["evaluate", "nonsense", "--queries", "q.jsonl"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "") and ran.err.startswith("usage: python -m rag")


@pytest.mark.parametrize(
    ("started", "named"),
    [("/usr/local/bin/faq", "faq"), ("C:/Scripts/faq.exe", "faq"), ("rag/__main__.py", "python -m rag")],
)
def test_the_usage_names_the_command_that_was_started(
    run: Run, monkeypatch: pytest.MonkeyPatch, started: str, named: str
) -> None:
    monkeypatch.setattr("sys.argv", [started])
    assert run("--help").out.startswith(f"usage: {named} [-h]")
    assert run("index", "--help").out.startswith(f"usage: {named} index [-h]")


def test_help_lists_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    words = ran.out.split()
    assert {"ingest", "search", "ask", "calibrate", "index", "config", "doctor", "user", "evaluate"} <= set(words)


def test_ingest_then_list_show_and_ingest_again(run: Run, tmp_path: Path) -> None:
    faq = str(write_faq(tmp_path / "faq.csv", without=("g-006",)))
    first = run("ingest", faq, "--index", "mine")
    assert first.code == 0 and first.out.startswith(f"mine: {len(ROWS) - 1} rows: ") and " 0 unchanged" in first.out
    assert listed(run) == ["mine"]
    shown = run("index", "show", "mine").json()
    assert (shown["name"], shown["manifest"]["dimension"]) == ("mine", 384)
    assert shown["nodes"] == len(ROWS) - 1 and shown["manifest"]["calibration"]["origin"] == "own rows"
    words = run("index", "show", "mine", "--json").json()["manifest"]["calibration"]["unheld"]
    assert shown["manifest"]["calibration"]["unheld"] == len(words.split()) > 100
    again = run("ingest", faq, "--index", "mine")
    assert f"{shown['nodes']} unchanged" in again.out and " 0 passages added" in again.out


def test_a_dry_run_prints_and_writes_nothing(run: Run, tmp_path: Path, small: Path) -> None:
    faq = str(write_faq(tmp_path / "faq.csv", without=("n-004",)))
    before = {path: path.read_bytes() for path in small.iterdir()}
    ran = run("ingest", faq, "--index", "small", "--dry-run")
    assert ran.code == 0 and "would be added" in ran.out and "1 deleted" in ran.out
    assert {path: path.read_bytes() for path in small.iterdir()} == before
    assert run("ingest", faq, "--index", "new", "--dry-run").code == 0
    assert listed(run) == ["small"]


def test_columns_of_other_names(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("물음,답,기관\n한도는 얼마입니까?,오천만 원입니다.,가온은행\n", encoding="utf-8")
    assert "column" in run("ingest", "old.csv", "--index", "mine").err
    ran = run("ingest", "old.csv", "--index", "mine", "--columns", "question=물음,answer=답,bank=기관")
    assert ran.code == 0
    [source] = run("search", "한도", "--index", "mine", "--json").json()["sources"]
    assert (source["question"], source["metadata"]) == ("한도는 얼마입니까?", {"bank": "가온은행"})


def test_the_settings_name_the_index(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSI_STORE__INDEX", "named")
    monkeypatch.setenv("FSI_STORE__DIRECTORY", str(tmp_path / "elsewhere"))
    assert run("ingest", str(write_faq(tmp_path / "faq.csv", without=("g-006",)))).out.startswith("named: ")
    assert (tmp_path / "elsewhere" / "named").is_dir()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["faq.csv"], "missing --index NAME"),
        (["faq.csv", "--index", "Bad/Name"], "invalid index name 'Bad/Name'"),
        (["faq.csv", "--index", "../up"], "invalid index name '../up'"),
        (["faq.csv", "--index", "bundled"], "'bundled' is reserved"),
        (["faq.csv", "--index", "mine", "--columns", "question"], "--columns: expected KEY=VALUE; got 'question'"),
        (["faq.csv", "--index", "mine", "--columns", "frage=Q"], "unknown fields ['frage']"),
    ],
)
def test_an_ingest_that_is_refused(run: Run, tmp_path: Path, arguments: list[str], line: str) -> None:
    write_faq(tmp_path / "faq.csv")
    assert line in run("ingest", *arguments).refused()
    assert run("index", "list").out == ""


def test_files_that_cannot_be_ingested_are_all_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("id,question,answer\n1,,답\n2,물음,\n", encoding="utf-8")
    ran = run("ingest", "gone.csv", "bad.csv", "--index", "mine")
    assert ran.code == 1 and "Traceback" not in ran.err and ran.err.startswith("error: 3 problem(s) found")
    assert all(part in ran.err for part in ("gone.csv", "bad.csv, row 2, column 'question'", "row 3, column 'answer'"))


def test_an_ingest_names_phrasings_that_two_rows_have(run: Run, tmp_path: Path) -> None:
    rows = "1,계좌를 해지하려면?,영업점,통장 없애기\n2,카드를 해지하려면?,전화,통장 없애기\n"
    (tmp_path / "faq.csv").write_text(f"id,question,answer,유사질문\n{rows}", encoding="utf-8")
    ran = run("ingest", "faq.csv", "--index", "mine")
    assert ran.code == 0 and "2 rows: 4 passages added" in ran.out
    assert "warning: faq.csv: row 2: '통장 없애기' is also a phrasing of row 1" in ran.err


def listed(run: Run) -> list[str]:
    return [each["name"] for each in run("index", "list", "--json").json()["indexes"]]


def test_list_prints_what_each_index_holds_and_which_is_selected(
    run: Run, small: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    FaissStore.create(small.with_name("empty"), models.manifest).close()
    FaissStore.create(small.with_name("words"), manifest_of(None)).close()
    monkeypatch.setenv("FSI_STORE__INDEX", "small")
    shown = run("index", "show", "small").json()
    empty, found, words = run("index", "list", "--json").json()["indexes"]
    indexed_at = found.pop("indexed_at")
    assert datetime.fromisoformat(indexed_at).tzinfo == UTC
    assert found == {
        "name": "small",
        "selected": True,
        "passages": shown["nodes"],
        "dimension": 384,
        "fingerprint": models.manifest.fingerprint,
        "problem": None,
    }
    assert (empty["selected"], empty["passages"], empty["indexed_at"]) == (False, 0, None)
    assert (words["dimension"], words["fingerprint"]) == (0, "none")
    assert run("index", "list").out.splitlines() == [
        f"  empty      0 passages  embedding {models.manifest.fingerprint} (384)  empty",
        f"* small  {shown['nodes']:>5} passages  embedding {models.manifest.fingerprint} (384)  {indexed_at}",
        "  words      0 passages  lexical only  empty",
    ]


def test_list_marks_the_bundled_index_of_the_embedder_in_use(
    run: Run, small: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_settings: object) -> Models:
        raise ModelUnavailable("the endpoint 'x' cannot be reached")

    mine = bundled_name(models.manifest)
    for name, manifest in ((mine, models.manifest), ("bundled-of-another", manifest_of(HashedEmbedding()))):
        FaissStore.create(small.with_name(name), manifest).close()
    assert [line[2:].split()[0] for line in run("index", "list").out.splitlines() if line[0] == "*"] == [mine]
    monkeypatch.setattr(index_list, "load_models", unreachable)
    ran = run("index", "list")
    assert (ran.code, len(ran.out.splitlines())) == (0, 3) and "*" not in ran.out
    assert "no index is marked as selected" in ran.err and "'x' cannot be reached" in ran.err


def test_list_continues_after_an_index_that_cannot_be_opened(run: Run, small: Path) -> None:
    broken = small.with_name("broken")
    shutil.copytree(small, broken)
    for file in broken.glob("*.sqlite"):
        file.write_bytes(b"no database")
    first, second = run("index", "list").out.splitlines()
    assert first.startswith("  broken  cannot be opened: index 'broken' is damaged (") and " passages " in second
    assert "is damaged" in run("index", "list", "--json").json()["indexes"][0]["problem"]


def test_verify_reports_a_damaged_index_and_an_ingestion_repairs_it(run: Run, tmp_path: Path) -> None:
    faq = str(write_faq(tmp_path / "faq.csv"))
    run("ingest", faq, "--index", "mine")
    nodes = run("index", "show", "mine").json()["nodes"]
    assert run("index", "verify", "mine").out == f"mine: {nodes} passages match their checksums\n"
    (database,) = Path(".fsi/indexes/mine").glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE nodes SET text = replace(text, '.', '!') WHERE seq = 3")
    connection.close()
    for command in (["index", "verify", "mine"], ["search", "이체한도", "--index", "mine"]):
        refused = run(*command).refused()
        assert "index 'mine' is damaged (row" in refused
        assert "rag ingest PATH --index mine" in refused
    assert run("ingest", faq, "--index", "mine").code == 0
    assert run("index", "verify", "mine").code == 0


def test_rollback_brings_the_version_before_back(run: Run, small: Path, models: Models) -> None:
    assert "no earlier version" in run("index", "rollback", "small").refused()
    FaissStore.create(small, models.manifest, replace=True).close()
    assert run("index", "show", "small").json()["nodes"] == 0
    assert run("index", "rollback", "small").code == 0
    assert run("index", "show", "small").json()["nodes"] > len(ROWS)


def test_delete_removes_an_index_and_nothing_else(run: Run, small: Path) -> None:
    other = small.with_name("photos")
    other.mkdir()
    (other / "cat.jpg").write_bytes(b"cat")
    assert "no index 'photos'" in run("index", "delete", "photos").refused()
    assert (other / "cat.jpg").exists(), "a folder that is no index is none of ours"
    assert run("index", "delete", "small").code == 0
    assert not small.exists()
    assert "no index 'small'" in run("index", "delete", "small").refused()


@pytest.mark.parametrize("action", ["show", "verify", "rollback", "delete"])
def test_an_index_must_be_named_and_exist(run: Run, action: str) -> None:
    assert "missing NAME" in run("index", action).refused()
    assert "there is no index 'gone'" in run("index", action, "gone").refused()
    assert "invalid index name" in run("index", action, "../..").refused()


def test_config_prints_every_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSI_RETRIEVAL__TOP_K", "7")
    lines = run("config").out.splitlines()
    assert [line.split("=")[0] for line in lines] == [name for name, _, _ in list_settings()]
    assert any(line.startswith("FSI_RETRIEVAL__TOP_K=7 ") for line in lines)


def test_doctor_checks_every_step(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSI_STORE__INDEX", "small")
    ran = run("doctor")
    assert ran.code == 0 and ran.out.endswith("all checks passed\n") and "index small: " in ran.out
    monkeypatch.setenv("FSI_STORE__INDEX", "gone")
    gone = run("doctor")
    assert gone.code == 1 and "error: there is no index 'gone'" in gone.err


def test_rows_of_no_institution_are_reported_with_the_setting(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, named = tmp_path / "plain.csv", tmp_path / "named.csv"
    plain.write_text("question,answer\n카드를 잃어버렸어요,신고해 주세요.\n", encoding="utf-8")
    named.write_text("question,answer,은행\n카드를 잃어버렸어요,신고해 주세요.,다온은행\n", encoding="utf-8")
    advice = "set FSI_CHAT__INSTITUTION=NAME"
    assert advice not in run("ingest", str(named), "--index", "mine").err
    lines = run("ingest", str(plain), "--index", "mine").err.splitlines()
    assert [line for line in lines if advice in line and line.startswith("warning: ")]
    korean = run("ingest", str(plain), "--index", "mine", "--language", "ko").err
    assert "FSI_CHAT__INSTITUTION=기관이름" in korean
    monkeypatch.setenv("FSI_STORE__INDEX", "mine")
    ran = run("doctor")
    assert ran.code == 0 and [
        line for line in ran.out.splitlines() if advice in line and line.startswith("index mine: ")
    ]
    monkeypatch.setenv("FSI_CHAT__INSTITUTION", "다온은행")
    assert advice not in run("doctor").out
    assert advice not in run("ingest", str(plain), "--index", "mine").err


def test_doctor_says_that_an_index_is_empty(
    run: Run, tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    FaissStore.create(tmp_path / ".fsi" / "indexes" / "empty", models.manifest).close()
    monkeypatch.setenv("FSI_STORE__INDEX", "empty")
    assert "the index is empty; ingest files" in run("doctor").err


def test_an_index_of_another_embedder_is_refused_with_advice(run: Run, tmp_path: Path) -> None:
    FaissStore.create(tmp_path / ".fsi" / "indexes" / "other", manifest_of(HashedEmbedding())).close()
    line = run("search", "질문", "--index", "other").refused()
    assert "dimension 64" in line and "384" in line and "python -m rag ingest PATH --index other" in line


def test_user_add_writes_a_login(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["correct horse battery", "correct horse battery", "another one", "and a third"])
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))
    monkeypatch.setattr(sys, "stdin", Mock(isatty=lambda: True))
    ran = run("user", "add", "kim", "--auth-file", "users")
    assert (ran.code, ran.out) == (0, "kim: login added\n")
    assert verify("correct horse battery", load_users(tmp_path / "users")["kim"])
    assert "horse" not in (tmp_path / "users").read_text(encoding="utf-8")
    before = (tmp_path / "users").read_bytes()
    assert "the two passwords differ" in run("user", "add", "lee", "--auth-file", "users").refused()
    assert (tmp_path / "users").read_bytes() == before


def test_user_add_needs_a_file_and_a_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--auth-file FILE" in run("user", "add", "kim").refused()

    def closed(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", closed)
    monkeypatch.setattr(sys, "stdin", Mock(isatty=lambda: True))
    assert "expected a password" in run("user", "add", "kim", "--auth-file", "users").refused()


@pytest.mark.parametrize(
    "piped", ["a long pass phrase\n", "a long pass phrase\r\na long pass phrase\r\n", "a long pass phrase"]
)
def test_user_add_reads_a_piped_password_without_a_prompt(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piped: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(piped))
    ran = run("user", "add", "kim", "--auth-file", "users")
    assert (ran.code, ran.out, ran.err) == (0, "kim: login added\n", "")
    assert verify("a long pass phrase", load_users(tmp_path / "users")["kim"])


@pytest.mark.parametrize(("piped", "line"), [("", "expected a password"), ("one pass phrase\nanother\n", "differ")])
def test_user_add_refuses_piped_passwords(run: Run, monkeypatch: pytest.MonkeyPatch, piped: str, line: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(piped))
    assert line in run("user", "add", "kim", "--auth-file", "users").refused()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("FSI_NONSENSE", "1", "unknown setting: FSI_NONSENSE"),
        ("FSI_UI__PROT", "1", "did you mean FSI_UI__PORT?"),
        ("FSI_RETRIEVAL__TOP_K", "many", "invalid setting: FSI_RETRIEVAL__TOP_K"),
        ("FSI_STORE__INDEX", "Bad Name", "invalid setting: FSI_STORE__INDEX"),
    ],
)
def test_a_wrong_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str) -> None:
    monkeypatch.setenv(name, value)
    assert line in run("config").refused()


def test_a_dotenv_file_is_read(run: Run, tmp_path: Path, small: Path) -> None:
    (tmp_path / ".env").write_text("FSI_STORE__INDEX=small\n", encoding="utf-8")
    assert json.loads(run("search", "이체한도", "--json").out)["sources"]


def test_ingest_reports_in_korean(run: Run, tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text(
        "안내\n번호,질문,답변\n1,한도는?,오천만 원\n2,수수료는?,수수료는?\n", encoding="utf-8"
    )
    ran = run("ingest", "faq.csv", "--index", "mine", "--language", "ko")
    assert ran.code == 0 and ran.out.startswith("mine: 1행: 추가 1")
    assert "주의: faq.csv: 머리글 위의 1번째 줄을 뺐습니다: 안내" in ran.err
    assert "주의: faq.csv: 답변이 질문과 같은 1개 행을 뺐습니다: 4행" in ran.err
    (tmp_path / "bad.csv").write_text("질문,답변\n한도는?,\n", encoding="utf-8")
    ran = run("ingest", "bad.csv", "--index", "mine", "--language", "ko")
    assert ran.code == 1 and "bad.csv 2행, '답변' 열: 값이 없습니다" in ran.err


def test_what_korean_reports_say_is_korean(run: Run, tmp_path: Path) -> None:
    """Files that cannot be read, or with defects, or with notes: no English word but names of files and options."""
    folder = tmp_path / "자료"
    folder.mkdir()
    for name, data in {
        "가.docx": b"PK\x03\x04 cut off",
        "나.pdf": b"\0\0",
        "다.xlsx": b"%PDF-1.7",
        "라.hwp": b"\xd0\xcf\x11\xe0" + bytes(600),
        "마.txt": b"%PDF-1.7",
        "바.mht": b"x",
        "사.json": b"{",
        "아.json": '[{"질문": "가", "질문": "나"}]'.encode(),
    }.items():
        (folder / name).write_bytes(data)
    (folder / "faq.csv").write_text(
        "번호,질문,답변,유사질문\n1,한도는?,앱,적금 추천해 주세요\n2,수수료는?,없음,적금 추천해 주세요\n",
        encoding="utf-8",
    )
    ran = run("ingest", "자료", "--index", "mine", "--language", "ko")
    assert ran.code == 1 and ran.err.count("오류: ") == 8 and ran.err.count("주의: ") == 4, ran.err
    known = r"FSI_\w+|(?<=/)\S+|\.\w+|JSON|PDF|UTF|Office|BadZipFile|recommend|advice|FAQ|mine: "
    assert re.findall("[A-Za-z]{3,}", re.sub(known, "", ran.err)) == []
    (folder / "둘.csv").write_text('번호,질문,답변\n1,한도는?,앱\n1,이율은?,"둘\n', encoding="utf-8")
    ran = run("ingest", str(folder / "둘.csv"), "--index", "mine", "--language", "ko")
    assert re.findall("[A-Za-z]{3,}", re.sub(known, "", ran.err)) == [], ran.err
    ran = run("ingest", "자료", "--index", "Mine", "--language", "ko")
    assert ran.code == 1 and ran.err.startswith("오류: 'Mine'은(는) 인덱스 이름으로 쓸 수 없습니다")


def test_an_error_without_a_korean_message_of_its_own_gives_the_english_one_too(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(commands, "ingest_files", fail)
    ran = run("ingest", "faq.csv", "--index", "small", "--language", "ko")
    assert ran.err == f"오류: {StoreError.default_korean} (the disk is full)\n"


def test_labels_of_rows_that_the_index_does_not_hold_are_an_error(run: Run, tmp_path: Path, small: Path) -> None:
    line = {"id": "q1", "query": "한도는?", "relevant": ["gone-1"], "style": "x"}
    (tmp_path / "q.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    ran = run("evaluate", "retrieval", "--index", "small", "--queries", "q.jsonl")
    assert ran.code == 1 and "'gone-1' of question queries/q1" in ran.err
