#!/usr/bin/env bash
# What surprises: the scorer `exact` takes "1.5배" for "15배", "2.5억원" for "25억원", and a cut of "-0.5%p" for a rise of "0.5%p": each is scored
#   as correct, and 1.0 by `f1`. "연 3.5%" and "연 35%" do differ.
# Seen with: inspect_ai 0.3.285, Python 3.11.
# Why it matters: Korean writes its unit onto the number, so that this is the usual form of an amount. An answer ten times too high passes.
# Expected: incorrect. A decimal point and a minus belong to the number; `match(location="exact")` of the same package keeps the point.
# Reason: punctuation is removed from each word that is not itself a number, and a number with its unit is none.
# Output:
#   inspect_ai 0.3.285
#   1.5배 / 15배: exact C, f1 1.0, match I
#   2.5억원 / 25억원: exact C, f1 1.0, match I
#   -0.5%p / 0.5%p: exact C, f1 1.0, match C
#   연 3.5% / 연 35%: exact I, f1 0.5, match I
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(inspect_ai==0.3.285)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

from inspect_ai.model import ModelName, ModelOutput
from inspect_ai.scorer import Scorer, Target, exact, f1, match
from inspect_ai.solver import TaskState


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def score(scorer: Scorer, answer: str, reference: str) -> object:
    output = ModelOutput.from_content("none", answer)
    state = TaskState(
        model=ModelName("none/none"), sample_id=1, epoch=1, input="얼마인가요?", messages=[], output=output
    )
    return asyncio.run(scorer(state, Target(reference))).value


print("inspect_ai", version("inspect_ai"))
for answer, reference, expected in (
    ("1.5배", "15배", ("C", 1.0, "I")),
    ("2.5억원", "25억원", ("C", 1.0, "I")),
    ("-0.5%p", "0.5%p", ("C", 1.0, "C")),
    ("연 3.5%", "연 35%", ("I", 0.5, "I")),
):
    scores = tuple(score(scorer, answer, reference) for scorer in (exact(), f1(), match(location="exact")))
    print(f"{answer} / {reference}: exact {scores[0]}, f1 {scores[1]}, match {scores[2]}")
    check(scores == expected, f"{answer} / {reference} is scored {scores}")
print("as recorded")
PYTHON
