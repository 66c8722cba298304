"""Scales fitted from an index's own rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from rag.factory.stores import calibrate_from_own_rows, load_calibration
from rag.ingestion.chunking import nodes as nodes_of
from rag.ingestion.documents.blocks import Block, Document
from rag.ingestion.documents.passages import passage_node, passages
from rag.ingestion.embedding import manifest_of
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.sync import sync
from rag.retrieval.confidence import defaults
from rag.retrieval.hybrid import DENSE
from rag.retrieval.score_scales import FEW_ROWS, MIN_STD, SAMPLE, from_own_rows
from rag.stores.base import JAMO, TOKENS
from rag.stores.faiss.store import FaissStore
from tests.fakes_embedding import HashedEmbedding

Make = Callable[..., FaissStore]
QUESTIONS = (
    "이체한도는 얼마입니까?",
    "이체한도를 늘리고 싶습니다.",
    "비밀번호를 분실했습니다.",
    "OTP 발급 수수료가 있나요?",
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[FaissStore] = []

    def index(*rows: FaqRow, model: HashedEmbedding | None) -> FaissStore:
        store = FaissStore.create(tmp_path / f"faq{len(made)}", manifest_of(model))
        made.append(store)
        sync(store, [piece for row in rows for piece in nodes_of(row, token_count=len, max_tokens=400)], model)
        return store

    yield index
    for store in made:
        store.close()


def rows(*questions: str, answer: str = "앱에서 신청합니다.") -> list[FaqRow]:
    return [FaqRow(str(number), question, answer) for number, question in enumerate(questions)]


def test_scales_are_what_other_rows_score(make: Make) -> None:
    model = HashedEmbedding()
    store = make(*rows(*QUESTIONS), model=model)
    scales = from_own_rows(store, model).fusion.scales
    for part in (DENSE, TOKENS, JAMO):
        lists = []
        for number, question in enumerate(QUESTIONS):
            found = store.candidates(
                query_embedding=model.get_query_embedding(question), query_str=question, size=len(QUESTIONS)
            )
            scores = {DENSE: found.dense, **found.lexical}[part]
            others = [scores.get(str(other), 0.0) for other in range(len(QUESTIONS)) if other != number]
            lists.append(sorted(others, reverse=True))
        half = [each[: len(QUESTIONS) // 2] for each in lists]
        assert scales[part].mean == pytest.approx(fmean(map(fmean, half)))
        assert scales[part].std == pytest.approx(fmean(map(pstdev, lists)))


def test_a_row_split_in_pieces_is_not_another_row(make: Make) -> None:
    """Its pieces share its question: taken for unrelated rows they would lift the zero of every list."""
    model = HashedEmbedding()
    long = FaqRow("long", "대출 서류는 무엇입니까?", "신분증을 준비하세요. " * 90)
    assert len(nodes_of(long, token_count=len, max_tokens=400)) == 3
    split = from_own_rows(make(*rows(*QUESTIONS), long, model=model), model).fusion
    short = FaqRow("long", "대출 서류는 무엇입니까?", "신분증을 준비하세요.")
    whole = from_own_rows(make(*rows(*QUESTIONS), short, model=model), model).fusion
    assert split.scales[JAMO].mean == pytest.approx(whole.scales[JAMO].mean, rel=0.1)
    assert split.scales[JAMO].std == pytest.approx(whole.scales[JAMO].std, rel=0.1)
    assert split.scales[TOKENS].mean < 2 * whole.scales[TOKENS].mean, "its words weigh otherwise in longer texts"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_tiny_index_keeps_the_default_scales(make: Make, count: int) -> None:
    model = HashedEmbedding()
    found = from_own_rows(make(*rows(*QUESTIONS[:count]), model=model), model)
    assert (found.fusion, found.few_rows) == (defaults().fusion, 0.0)


def test_three_rows_are_enough(make: Make) -> None:
    model = HashedEmbedding()
    assert from_own_rows(make(*rows(*QUESTIONS[:3]), model=model), model).fusion.scales != defaults().fusion.scales


def test_the_chance_of_a_row_is_raised_the_fewer_different_rows_there_are(make: Make) -> None:
    model = HashedEmbedding()
    topics = [f"{letter}{number}" for letter in "가나다라마바사아자차" for number in range(12)]

    def raised(count: int, *, copies: int = 1) -> float:
        faq = [FaqRow(f"{topic}-{n}", f"{topic}?", f"{topic} {n}") for topic in topics[:count] for n in range(copies)]
        return from_own_rows(make(*faq, model=model), model).few_rows

    assert raised(20) == raised(4) == raised(20, copies=3) == FEW_ROWS
    assert raised(50) < raised(40) < FEW_ROWS
    assert raised(55) == pytest.approx(FEW_ROWS / 2, abs=0.01), "half way between 30 and 100 in logarithms"
    assert raised(100) == raised(len(topics)) == 0.0


def test_without_an_embedder_the_words_alone_are_scaled(make: Make) -> None:
    calibration = from_own_rows(make(*rows(*QUESTIONS), model=None), None)
    start = defaults(dense=False)
    assert calibration.fusion.weights == start.fusion.weights
    assert calibration.fusion.scales[DENSE] == start.fusion.scales[DENSE]
    assert calibration.fusion.scales[TOKENS] != start.fusion.scales[TOKENS]
    assert (calibration.correct, calibration.answered) == (start.correct, start.answered)


def test_rows_that_are_all_alike_give_no_zero_unit(make: Make) -> None:
    model = HashedEmbedding()
    scales = from_own_rows(make(*rows(*["같은 질문"] * 5), model=model), model).fusion.scales
    assert all(scale.std >= MIN_STD for scale in scales.values())


def test_a_large_index_is_sampled_evenly(make: Make) -> None:
    """Ids often begin with the institution, so a sample of the first rows would know one institution alone."""
    asked: list[str] = []

    class Recording(HashedEmbedding):
        def _get_query_embedding(self, query: str) -> list[float]:
            asked.append(query)
            return super()._get_query_embedding(query)

    faq = [FaqRow(f"{number:03}", f"질문 {number:03}번", "답변") for number in range(SAMPLE + 90)]
    store = make(*faq, model=HashedEmbedding())
    from_own_rows(store, Recording())
    numbers = [int(question[3:6]) for question in asked]
    assert len(set(numbers)) == len(numbers) == SAMPLE
    assert all(sum(low <= number < low + 19 for number in numbers) in (9, 10, 11) for low in range(0, SAMPLE + 90, 19))


def versions(count: int) -> list[FaqRow]:
    """QUESTIONS in force, and as they stood in `count` years gone by."""
    past = [
        replace(
            row,
            id=f"{row.id}-{year}",
            answer=f"{row.answer} ({2000 + year}년판)",
            effective_from=f"{2000 + year}-01-01",
            effective_until=f"{2000 + year}-12-31",
        )
        for year in range(count)
        for row in rows(*QUESTIONS)
    ]
    return [*past, *rows(*QUESTIONS)]


@pytest.mark.parametrize("count", [1, 7, 20])
def test_expired_versions_leave_the_scales_as_they_are(make: Make, count: int) -> None:
    """They are as near as can be: taken for unrelated rows, they would leave no match above zero."""
    model = HashedEmbedding()
    alone = from_own_rows(make(*rows(*QUESTIONS), model=model), model).fusion.scales
    among = from_own_rows(make(*versions(count), model=model), model).fusion.scales
    assert among[DENSE] == pytest.approx(alone[DENSE]), "cosines do not depend on other rows"
    for part in (TOKENS, JAMO):
        assert among[part].mean == pytest.approx(alone[part].mean, rel=0.35), "its words are rarer in a larger index"


@pytest.mark.parametrize("count", [3, 8, 20])
def test_institutions_with_the_same_questions_count_once(make: Make, count: int) -> None:
    model = HashedEmbedding()
    alone = from_own_rows(make(*rows(*QUESTIONS), model=model), model).fusion.scales
    faq = [
        replace(row, id=f"{bank}-{row.id}", bank=f"{bank}호은행") for bank in range(count) for row in rows(*QUESTIONS)
    ]
    among = from_own_rows(make(*faq, model=model), model).fusion.scales
    assert among[DENSE] == pytest.approx(alone[DENSE])
    assert among[JAMO].mean == pytest.approx(alone[JAMO].mean, rel=0.35)


def test_phrasings_of_one_answer_count_once(make: Make) -> None:
    model = HashedEmbedding()
    answer = "앱의 전체메뉴, 이체, 한도 변경에서 하루 5천만원까지 올리실 수 있습니다."
    phrasings = [
        FaqRow(f"p{n}", text, answer) for n, text in enumerate(("한도 올리기", "한도 증액 방법", "한도를 높이려면"))
    ]
    one = from_own_rows(make(*rows(*QUESTIONS), phrasings[0], model=model), model).fusion.scales
    three = from_own_rows(make(*rows(*QUESTIONS), *phrasings, model=model), model).fusion.scales
    assert three[DENSE].mean == pytest.approx(one[DENSE].mean, abs=one[DENSE].std)


def test_other_ids_change_nothing(make: Make) -> None:
    """An ingestion of the same rows under other ids, or in another order, gives the same figures."""
    model = HashedEmbedding()
    first = from_own_rows(make(*rows(*QUESTIONS), model=model), model).fusion
    again = from_own_rows(
        make(*[replace(row, id=f"z{9 - int(row.id)}") for row in rows(*QUESTIONS)], model=model), model
    ).fusion
    for part in (DENSE, TOKENS, JAMO):
        assert again.scales[part].mean == pytest.approx(first.scales[part].mean)
        assert again.scales[part].std == pytest.approx(first.scales[part].std)


def test_documents_beside_an_faq_leave_its_scales_nearly_as_they_are(make: Make, tmp_path: Path) -> None:
    """The dense one exactly. With passages among the rows, an FAQ's questions were answered less often beside documents."""
    model = HashedEmbedding()
    alone = from_own_rows(make(*rows(*QUESTIONS), model=model), model).fusion.scales
    store = make(*rows(*QUESTIONS), model=model)
    document = Document("약관.md", [Block("이체한도 약관", "heading", level=1), Block("한도는 백만 원이다.")])
    cut = passages(document, token_count=len, max_tokens=400)
    states = store.states()
    nodes = [passage_node(passage, "") for passage in cut]
    sync(store, nodes, model, is_kept=states.__contains__)
    assert from_own_rows(store, model).fusion.scales[DENSE] == alone[DENSE]
    only = FaissStore.create(tmp_path / "documents", manifest_of(model))
    more = [Block(question, "heading", level=2) for question in QUESTIONS]
    document = Document("약관.md", [each for head in more for each in (head, Block(f"{head.text}이다."))])
    sync(only, [passage_node(passage, "") for passage in passages(document, token_count=len, max_tokens=400)], model)
    assert from_own_rows(only, model).fusion != defaults().fusion, "where there are documents alone, they are the rows"
    only.close()


def test_the_title_of_a_document_makes_no_passages_alike(tmp_path: Path) -> None:
    """All headings begin with it: an unrelated match looked near, so the zero lay too high and few passages were answered."""
    model = HashedEmbedding()
    queries = []

    class Recorded(HashedEmbedding):
        def _get_query_embedding(self, query: str) -> list[float]:
            queries.append(query)
            return super()._get_query_embedding(query)

    store = FaissStore.create(tmp_path / "titled", manifest_of(model))
    blocks = [Block("새솔은행 외환과 예금 업무의 이용 안내", "heading", level=1)]
    for number, question in enumerate(QUESTIONS):
        blocks += [
            Block(f"제{number + 1}조 ({question})", "heading", level=2),
            Block(f"{question} 때에는 이렇게 한다."),
        ]
    cut = passages(Document("안내.md", blocks), token_count=len, max_tokens=400)
    sync(store, [passage_node(each, "") for each in cut], model)
    from_own_rows(store, Recorded())
    assert sorted(queries) == sorted(QUESTIONS)
    store.close()


def test_the_lexicons_terms_that_no_row_holds_are_kept(make: Make) -> None:
    """In force or not: a row of next month's is searched for with today's calibration."""
    later = FaqRow("later", "견인 비용은 얼마입니까?", "10km까지 무료입니다.", effective_from="2199-01-01")
    unheld = from_own_rows(make(*rows(*QUESTIONS), later, model=None), None).unheld
    assert "견인" not in unheld and "비밀번호" not in unheld and "해약환급금" in unheld
    assert from_own_rows(make(model=None), None).unheld == frozenset()


def test_terms_of_another_lexicon_are_looked_up_again(make: Make) -> None:
    """An index keeps its calibration when the package, and with it the lexicon, is renewed."""
    store = make(*rows(*QUESTIONS), model=None)
    fresh = from_own_rows(store, None)
    older = replace(fresh, unheld=frozenset({"견인"}), lexicon="")
    store.replace_manifest(store.manifest.with_calibration(older.as_json()))
    assert load_calibration(store, None) == fresh
    labelled = replace(older, origin="labels", answered=0.7)
    store.replace_manifest(store.manifest.with_calibration(labelled.as_json()))
    assert load_calibration(store, None) == replace(
        labelled, unheld=fresh.unheld, subjects=fresh.subjects, lexicon=fresh.lexicon
    )


def test_an_ingestion_without_changed_rows_stores_the_terms_of_todays_lexicon(make: Make) -> None:
    store = make(*rows(*QUESTIONS), model=None)
    assert calibrate_from_own_rows(store, None)
    assert not calibrate_from_own_rows(store, None, rows_changed=False)
    older = replace(from_own_rows(store, None), lexicon="")
    store.replace_manifest(store.manifest.with_calibration(older.as_json()))
    assert calibrate_from_own_rows(store, None, rows_changed=False)
    assert load_calibration(store, None) == from_own_rows(store, None)
