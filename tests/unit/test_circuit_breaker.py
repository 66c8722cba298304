"""The circuit breaker with a fake clock: it opens after repeated failures, and one call probes the model."""

from __future__ import annotations

import logging
import threading

import pytest

from rag.errors import ModelError, ModelInterrupted, ModelPaused, ModelRefused, ModelTimeout, ModelUnavailable
from rag.retries import CircuitBreaker


class Model:
    """The protected model. `asked`: calls that reached it."""

    def __init__(self) -> None:
        self.now, self.asked = 0.0, 0
        self.breaker = CircuitBreaker("the model", clock=lambda: self.now)

    def __call__(self, error: BaseException | None = None) -> None:
        with self.breaker.call():
            self.asked += 1
            if error:
                raise error

    def fails(self, *errors: BaseException) -> None:
        for error in errors:
            with pytest.raises(type(error)):
                self(error)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def resting(model: Model) -> Model:
    model.fails(ModelTimeout("late"), ModelUnavailable("gone"))
    assert model.asked == 2
    return model


def test_after_failures_in_a_row_it_is_not_asked(resting: Model) -> None:
    resting.now += 29.9
    with pytest.raises(ModelPaused, match="the model failed 2 times in a row"):
        resting()
    assert resting.asked == 2


def test_a_success_between_failures_resets_the_count(model: Model) -> None:
    model.fails(ModelTimeout("late"))
    model()
    model.fails(ModelTimeout("late"))
    model()
    assert model.asked == 4


def test_one_call_tries_again_and_its_success_lets_all_through(resting: Model) -> None:
    resting.now += 30
    resting()
    resting.fails(ModelTimeout("late"))
    resting()
    assert resting.asked == 5


def test_a_try_that_fails_begins_another_rest(resting: Model) -> None:
    resting.now += 30
    resting.fails(ModelTimeout("late"))
    resting.now += 29.9
    with pytest.raises(ModelPaused):
        resting()
    resting.now += 0.1
    resting()
    assert resting.asked == 4


def test_while_one_call_tries_the_others_do_not_wait(resting: Model) -> None:
    resting.now += 30
    with resting.breaker.call():
        with pytest.raises(ModelPaused):
            resting()
        resting.now += 30
        resting()  # the first one has not come back: another tries


@pytest.mark.parametrize(
    "error", [ModelRefused("no"), ModelError("boom"), ModelInterrupted("stopped"), GeneratorExit(), KeyError("ours")]
)
def test_what_tells_nothing_of_its_availability_changes_nothing(resting: Model, error: BaseException) -> None:
    resting.now += 30
    resting.fails(error)
    with pytest.raises(ModelPaused):
        resting()
    resting.now += 30
    resting()
    resting.fails(error, error, error)
    resting()


def test_opening_and_closing_are_logged_once(model: Model, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    model.fails(ModelTimeout("가"))
    assert caplog.records == []
    model.fails(ModelTimeout("나"))
    for _ in range(3):
        model.now += 30
        model.fails(ModelTimeout("다"))
    model.now += 30
    model()
    model()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "the model failed 2 times in a row: circuit opened; probing every 30 s"),
        ("INFO", "the model answered: circuit closed"),
    ]


def test_of_many_threads_one_tries(resting: Model) -> None:
    resting.now += 30
    together, refused, enough, tried = threading.Barrier(16), threading.Semaphore(0), threading.Event(), []

    def call() -> None:
        together.wait(60)
        try:
            with resting.breaker.call():
                tried.append(1)
                enough.wait(60)
        except ModelPaused:
            refused.release()

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert all(refused.acquire(timeout=60) for _ in range(15))
    enough.set()
    for thread in threads:
        thread.join(60)
    assert len(tried) == 1
