"""What looks like fraud by its words, and ordinary questions that only report what another said."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation.word_rules import FraudSign, WordRule, bundled, scam_rules, tells_of_scam

DATA = Path(__file__).parents[2] / "data"
CASES = Path(__file__).with_name("scam_rules_cases.tsv")
RULES = bundled("scam_rules.toml")
SIGNS = get_args(FraudSign)
EXAMPLES = [(rule, text) for rule in RULES for text in rule.examples]
NOT_EXAMPLES = [(rule, text) for rule in RULES for text in rule.not_examples]


def cases(kind: str) -> list[str]:
    lines = [line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [text for label, text in lines if label == kind]


@pytest.mark.parametrize(("rule", "text"), EXAMPLES, ids=[f"{rule.name}-{text}" for rule, text in EXAMPLES])
def test_a_rule_matches_its_examples(rule: WordRule, text: str) -> None:
    assert rule.matches(text)
    assert rule.name in SIGNS or tells_of_scam(text)


@pytest.mark.parametrize(("rule", "text"), NOT_EXAMPLES, ids=[f"{rule.name}-{text}" for rule, text in NOT_EXAMPLES])
def test_no_story_matches_what_is_no_example(rule: WordRule, text: str) -> None:
    assert not rule.matches(text)
    assert rule.name in SIGNS or not tells_of_scam(text)


def test_each_rule_has_examples_of_both_kinds_and_each_sign_a_rule() -> None:
    assert all(len(rule.examples) >= 3 and len(rule.not_examples) >= 3 for rule in RULES)
    assert set(SIGNS) <= set(scam_rules())


def test_scam_stories_are_recognised() -> None:
    texts = cases("scam")
    missed = [text for text in texts if not tells_of_scam(text)]
    assert len(texts) >= 180 and len(missed) <= 0.07 * len(texts), missed


@pytest.mark.parametrize("text", cases("ordinary"))
def test_an_ordinary_question_that_reports_anothers_words_is_none(text: str) -> None:
    assert not tells_of_scam(text)


def test_no_story_but_of_fraud_matches_a_question_of_the_bundled_faq() -> None:
    about_fraud = scam_rules()["row about fraud"]
    matched = []
    for path in sorted((DATA / "faq").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(row["category"], row["question"]) for row in csv.DictReader(file)]
        matched += [text for kind, text in rows if tells_of_scam(text) and not about_fraud.matches(f"{kind}\n{text}")]
    assert matched == []


def test_few_customers_questions_match_and_those_ask_about_fraud() -> None:
    about_fraud = scam_rules()["row about fraud"]
    with_fraud = set()
    for path in sorted((DATA / "faq").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            with_fraud |= {
                row["id"]
                for row in csv.DictReader(file)
                if about_fraud.matches(f"{row['category']}\n{row['question']}")
            }
    text = (DATA / "evaluation" / "queries.dev.jsonl").read_text(encoding="utf-8")
    questions = [json.loads(line) for line in text.splitlines()]
    others = [each["id"] for each in questions if tells_of_scam(each["query"]) and not with_fraud & {*each["relevant"]}]
    assert others == []


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert tells_of_scam(text) in (True, False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_pattern_of_words_in_any_order_is_tried_once_and_not_at_each_character(rule: WordRule) -> None:
    # "(?=.*a)" reads to the end of the message: from each character on, the longest message would take over a second.
    assert not re.search(r"(?:^|(?<=\|))\(\?=\.\*", rule.pattern.pattern)
