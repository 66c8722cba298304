"""Measures whether customers' feedback improves answers: an insurer's FAQ before and after one reviewed file of `gaps`.

    python -m benchmarks.feedback_loop [--draws N] [--style same|side] [--json OUT] [--misses]

`corpora/insurance`: 75 rows, and 200 questions of customers, eight about each of 25 rows: of the style `same` other words for
what the row is about, of the style `side` eight different things that its answer settles. Half of each row's are asked as the
page asks them. A customer clicks the right row where it is suggested, and dislikes what is wrong. `python -m rag gaps` writes
its file; a reviewer keeps the lines whose row answers their question, by the labels; `python -m rag ingest` reads them beside
the FAQ. The other half is judged before and after. Each draw takes other halves. Intervals are paired, and drawn by row.
Exit 1 where, of the style `same`, a draw's hit@1 or share answered does not rise for sure, or the answers are less often right.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from rag.chat import ChatService
from rag.evaluation.datasets import Case, read_out_of_domain, read_queries
from rag.evaluation.metrics import bootstrap, hit
from rag.evaluation.records import predict
from rag.factory.bundled_vectors import DATA
from rag.factory.chat import build_service
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files, open_index
from rag.records.answer_log import AnswerLog
from rag.settings import Settings, StoreSettings
from rag.ui.conversation import Conversation
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.loader import Loader
from rag.ui.session import Dialogue
from rag.ui.texts import KOREAN

CORPUS = DATA.parent / "evaluation" / "corpora" / "insurance"
FAQ = CORPUS / "faq.csv"
INDEX = "loop"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a question: whether the right row is first, whether it is answered, and whether rightly."""

    first: bool
    answered: bool
    right: bool


def halves(draw: int, style: str) -> tuple[list[Case], list[Case]]:
    """The questions that are asked on the page, and those that are evaluated: half of each row's."""
    of: dict[str, list[Case]] = defaultdict(list)
    for query in read_queries(CORPUS / "customers.jsonl"):
        if query.label == style:
            of[query.relevant[0]].append(query)
    drawn = random.Random(draw)
    shuffled = [drawn.sample(queries, len(queries)) for queries in of.values()]
    played = [query for queries in shuffled for query in queries[::2]]
    return played, [query for queries in shuffled for query in queries[1::2]]


async def simulate_feedback(chat: ChatService, records: AnswerLog, played: Sequence[Case]) -> Counter[str]:
    """Ask each question as the page does, and give the feedback of a simulated customer; returns counts of the feedback."""
    loader = Loader(lambda _progress: chat)
    loader.start()
    dialogue = Dialogue(loader, KOREAN, max_question_chars=1000, recorder=ConversationRecorder(records))
    did: Counter[str] = Counter()
    for each in played:
        conversation, choices = Conversation(), {"bank": None, "category": None}
        async for _ in dialogue.respond(conversation, each.query, choices):
            pass
        answered = conversation.exchanges[-1]
        assert answered.answer, answered.status_line
        (right,) = each.relevant
        shown = [source.id for source in answered.sources]
        if answered.answer.status == "suggested" and right in shown:
            did["clicked"] += 1
            async for _ in dialogue.choose(conversation, right, choices):
                pass
        elif answered.answer.status == "answered" and shown[0] == right:
            did["content"] += 1
        else:
            did["disliked"] += 1
            records.add_feedback(answered.record, "dislike")
    return did


def review(proposed: Path, reviewed: Path, played: Sequence[Case]) -> tuple[int, int]:
    """Keep the lines whose row answers their question; returns the number of lines before and after."""
    right = {(row, " ".join(each.query.split())) for each in played for row in each.relevant}
    with proposed.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    kept = [line for line in lines if (line["id"], line["question"]) in right]
    with reviewed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "question", "answer"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)
    return len(lines), len(kept)


def judge(chat: ChatService, asked: Sequence[Case]) -> list[Result]:
    """Each of the questions, asked alone."""
    results = []
    for each in asked:
        result = predict(chat, each.query)
        answered = result.status == "answered"
        right = answered and hit(result.shown, each.relevant, 1) == 1
        results.append(Result(hit(result.ranked, each.relevant, 1) == 1, answered, right))
    return results


def command(directory: Path, *arguments: str) -> None:
    """Run `python -m rag` on the benchmark's files. Exits if it fails."""
    environment = {
        **os.environ, "FSI_STORE__DIRECTORY": str(directory / "indexes"), "FSI_STORE__INDEX": INDEX,
        "FSI_RECORD__FILE": str(directory / "records.sqlite"),
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "rag", *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr}")


def one_draw(draw: int, base: Path, models: Models, others: Sequence[Case], style: str, misses: bool) -> dict[str, Any]:
    """Run the loop once, on a copy of the index in `base`."""
    played, asked = halves(draw, style)
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        shutil.copytree(base, directory / "indexes")
        settings = Settings(store=StoreSettings(directory=directory / "indexes", index=INDEX))
        chat = build_service(settings, models, open_index(settings, models))
        before, uncovered = judge(chat, asked), [chat.judge(each.query).status for each in others]
        records = AnswerLog(directory / "records.sqlite")
        did = asyncio.run(simulate_feedback(chat, records, played))
        records.close()
        proposed, reviewed = directory / "gaps.csv", directory / "reviewed.csv"
        command(directory, "gaps", "--out", str(proposed))
        lines, kept = review(proposed, reviewed, played)
        command(directory, "ingest", str(FAQ), str(reviewed), "--index", INDEX)
        chat = build_service(settings, models, open_index(settings, models))
        after, uncovered_after = judge(chat, asked), [chat.judge(each.query).status for each in others]
    if misses:
        for each, result in zip(asked, after, strict=True):
            if not result.right:
                print(*each.relevant, each.query, result)
    return {
        "did": dict(did), "lines": lines, "kept": kept, "rows": [each.relevant[0] for each in asked],
        "before": before, "after": after,
        "uncovered_answered": [statuses.count("answered") for statuses in (uncovered, uncovered_after)],
    }  # fmt: skip


def by_row(rows: Sequence[str], values: Sequence[float]) -> list[float]:
    """One mean per row, because questions about one row are not independent."""
    of: dict[str, list[float]] = defaultdict(list)
    for row, value in zip(rows, values, strict=True):
        of[row].append(value)
    return [fmean(each) for each in of.values()]


def summary(draw: dict[str, Any]) -> dict[str, Any]:
    """Means before and after, and the paired interval of each rise."""
    rows, before, after = draw["rows"], draw["before"], draw["after"]
    report: dict[str, Any] = {name: draw[name] for name in ("did", "lines", "kept", "uncovered_answered")}
    for name, of in (("hit@1", "first"), ("answered_share", "answered")):
        pairs = [(float(getattr(old, of)), float(getattr(new, of))) for old, new in zip(before, after, strict=True)]
        rises = by_row(rows, [new - old for old, new in pairs])
        report[name] = [round(fmean(side), 3) for side in zip(*pairs, strict=True)]
        report[f"{name}_rise_ci95"] = [round(edge, 3) for edge in bootstrap(rises)]
    for name, results in (("before", before), ("after", after)):
        report[f"answered_right_{name}"] = (sum(each.right for each in results), sum(each.answered for each in results))
    return report


def rises(report: dict[str, Any]) -> bool:
    """Whether both intervals lie above 0, and no smaller share of the answers is right."""
    (right, answered), (right_after, answered_after) = report["answered_right_before"], report["answered_right_after"]
    is_precise = right_after * answered >= right * answered_after
    return bool(is_precise and min(report["hit@1_rise_ci95"][0], report["answered_share_rise_ci95"][0]) > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--style", choices=("same", "side"), default="same")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--misses", action="store_true", help="print what is still not answered rightly")
    options = parser.parse_args()
    models = load_models(Settings())
    others = read_out_of_domain(CORPUS / "ood.jsonl")
    reports = []
    with TemporaryDirectory() as folder:
        base = Path(folder) / "indexes"
        ingest_files(base, INDEX, models, [FAQ])
        for draw in range(options.draws):
            reports.append(summary(one_draw(draw, base, models, others, options.style, options.misses)))
            print(f"draw {draw}")
            print("\n".join(f"  {name:24} {value}" for name, value in reports[-1].items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")
    return int(options.style == "same" and not all(map(rises, reports)))


if __name__ == "__main__":
    sys.exit(main())
