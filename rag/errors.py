"""All errors that the program raises for users.

    RagError                     base class: an English message (`str(error)`) and a Korean message (`error.korean`)
    ├── PackageMissing           a Python package is not installed; often the virtual environment is not active
    ├── SettingsError            a setting is unknown, invalid or contradicts another
    ├── InputError               a file, column, row, question or option of the user is invalid
    │   └── RowErrors            all rows of an ingestion that cannot be read
    ├── RecordError              the file of answer records or of the chat history cannot be used
    ├── DeployError              a deployment cannot be created, changed, described or removed
    ├── StoreError               the store cannot do what was requested
    │   ├── FilterError          a filter is outside the supported grammar
    │   ├── IndexMissing         there is no index of that name
    │   ├── IndexMismatch        index and configuration differ; the message names both values and the command to run
    │   ├── IndexDamaged         the files of the index were changed or damaged, for example by the disk
    │   ├── IndexBusy            another process is writing the index
    │   ├── IndexRejected        the new version does not pass the gates; the previous version stays live
    │   ├── StoreUnavailable     the server cannot be reached, is overloaded or lacks data; a later attempt may succeed
    │   └── StoreRefused         the server rejected user, password, certificate or permission; a retry does not help
    └── ModelError               an embedding or language model failed
        ├── ModelUnavailable     it cannot be loaded or reached, or is overloaded; the caller may continue without it
        │   ├── ModelTimeout     it did not answer before the deadline
        │   └── ModelPaused      it was not called, because it has just failed several times
        ├── ModelRefused         it rejected the request: credentials, name or parameters; a retry does not help
        │   └── ModelInputTooLong    the text is too long for the model
        ├── ModelFormatError     the answer is not in the configured format
        └── ModelInterrupted     the answer was interrupted; `partial` is the text so far

No error derives from ValueError or TypeError, because LlamaIndex catches those and returns "Empty Response".
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


class RagError(Exception):
    """The base class. `message` is English, for the command line and logs; `korean` is shown on the page."""

    default_korean = "요청을 처리하지 못했습니다. 잠시 후 다시 시도해 주세요."

    def __init__(self, message: str, *, korean: str | None = None) -> None:
        super().__init__(message)
        self.korean = korean or self.default_korean


class PackageMissing(RagError):
    """A required Python package is not installed."""

    def __init__(self, name: str | None) -> None:
        extra = _EXTRAS.get((name or "").partition(".")[0])
        fix = f"`pip install '{DISTRIBUTION}[{extra}]'`, or " if extra else ""
        super().__init__(
            f"the package {name!r} is missing in {sys.prefix}: run {fix}`source .venv/bin/activate` first, or `make install`"
        )


DISTRIBUTION = "korean-financial-faq-chatbot"
_EXTRAS = {
    "boto3": "sagemaker",
    "botocore": "sagemaker",
    "gradio": "page",
    "openai": "openai",
    "dochan": "documents",
    "hwp2md": "documents",
    "openpyxl": "documents",
    "pdfplumber": "documents",
    "pypdfium2": "documents",
    "opensearchpy": "opensearch",
}
"""The extra of this distribution that installs a package."""


class SettingsError(RagError):
    """A setting is unknown, invalid or contradicts another."""

    default_korean = "설정이 올바르지 않습니다. 관리자에게 문의해 주세요."


class InputError(RagError):
    """A file, column, row, question or option of the user is invalid; the message says what to change."""

    default_korean = "입력 내용을 확인해 주세요."


@dataclass(frozen=True, slots=True)
class RowError:
    """One problem in a file.

    `row`: the number that a spreadsheet shows (1 is the header); None: the whole file. `column`: its name, or None.
    """

    file: str
    row: int | None
    column: str | None
    problem: str
    korean: str = ""
    kind: str = ""

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file}, row {self.row}"
        return f"{where}, column {self.column!r}: {self.problem}" if self.column else f"{where}: {self.problem}"

    @property
    def in_korean(self) -> str:
        """The problem in Korean, for `--language ko`."""
        where = self.file if self.row is None else f"{self.file} {self.row}행"
        return (
            f"{where}, {self.column!r} 열: {self.korean}" if self.column else f"{where}: {self.korean or self.problem}"
        )


class RowErrors(InputError):
    """All problems in the files of an ingestion. Nothing was written."""

    default_korean = "읽을 수 없는 행이 있어 아무것도 저장하지 않았습니다."

    MAX_LISTED = 50
    """The most problems listed in the message; it gives the number of the others, which may be millions."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        self.errors = tuple(errors)
        more = len(self.errors) - self.MAX_LISTED
        english = [str(error) for error in self.errors[: self.MAX_LISTED]] + [f"and {more} more"] * (more > 0)
        korean = [error.in_korean for error in self.errors[: self.MAX_LISTED]] + [f"외 {more}건"] * (more > 0)
        super().__init__(
            f"{len(self.errors)} problem(s) found, nothing was written:{_lines(english)}",
            korean=f"{len(self.errors)}건의 문제가 있어 아무것도 저장하지 않았습니다.{_lines(korean)}",
        )


def _lines(texts: Sequence[str]) -> str:
    return "".join(f"\n  {text[:300]}" for text in texts)


class RecordError(RagError):
    """The file of answer records, or of the chat history, cannot be opened or written."""

    default_korean = "기록을 남길 수 없습니다. 관리자에게 문의해 주세요."


class DeployError(RagError):
    """A deployment cannot be created, changed, described or removed; the message says why and what to do."""

    default_korean = "배포하지 못했습니다. 관리자에게 문의해 주세요."


class StoreError(RagError):
    """The store cannot do what was requested."""

    default_korean = "자료 저장소를 사용할 수 없습니다. 잠시 후 다시 시도해 주세요."


class FilterError(StoreError):
    """A filter is outside the grammar of `rag.stores.filters`. Raised before any I/O."""

    default_korean = "지원하지 않는 검색 조건입니다."


class IndexMissing(StoreError):
    """There is no index of that name."""

    default_korean = "아직 준비된 자료가 없습니다. 관리자에게 문의해 주세요."


class IndexMismatch(StoreError):
    """The index was built with another embedding, dimension, schema or analyzer than the configured one."""

    default_korean = "자료와 설정이 서로 맞지 않습니다. 관리자에게 문의해 주세요."


class IndexDamaged(StoreError):
    """The files of the index were changed or damaged. The source files must be ingested again."""

    default_korean = "자료가 손상되어 사용할 수 없습니다. 관리자에게 문의해 주세요."


class IndexBusy(StoreError):
    """Another process is writing this index."""

    default_korean = "자료를 갱신하는 중입니다. 잠시 후 다시 시도해 주세요."


class IndexRejected(StoreError):
    """The new version of an index does not pass its gates, as `lines` describe. Readers still see the previous version."""

    default_korean = "새 자료가 출시 기준을 통과하지 못해 이전 자료를 그대로 둡니다."

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(("the new rows do not pass the gates; nothing was published:", *lines)))
        self.lines = tuple(lines)


class StoreUnavailable(StoreError):
    """The store's server cannot be reached, is overloaded or lacks data; a later attempt may succeed."""

    default_korean = "자료 저장소에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요."


class StoreRefused(StoreError):
    """The store's server rejected user, password, certificate or permission; a retry does not help."""

    default_korean = "자료 저장소가 접속을 허용하지 않습니다. 관리자에게 문의해 주세요."


class ModelError(RagError):
    """An embedding or language model failed or returned an invalid answer."""

    default_korean = "답변 모델에 문제가 생겼습니다. 잠시 후 다시 시도해 주세요."


class ModelUnavailable(ModelError):
    """The model cannot be loaded or reached, or has no capacity; a later attempt may succeed."""

    default_korean = "답변 모델을 지금 사용할 수 없습니다."


class ModelTimeout(ModelUnavailable):
    """The model did not answer before the deadline. No time is left for a retry."""

    default_korean = "답변이 제시간에 준비되지 않았습니다. 잠시 후 다시 시도해 주세요."


class ModelPaused(ModelUnavailable):
    """The model was not called, because previous calls failed; see `CircuitBreaker`."""


class ModelRefused(ModelError):
    """The model's endpoint rejected the request; a retry does not help."""

    default_korean = "답변 모델이 요청을 받아들이지 않았습니다. 관리자에게 문의해 주세요."


class ModelInputTooLong(ModelRefused):
    """The text, or the batch of texts, is too long for the model."""

    default_korean = "내용이 너무 길어 처리할 수 없습니다. 질문을 줄여 다시 시도해 주세요."


class ModelFormatError(ModelError):
    """The model's answer is not in the configured format."""

    default_korean = "답변 모델의 응답을 읽을 수 없습니다. 관리자에게 문의해 주세요."


class ModelInterrupted(ModelError):
    """The answer was interrupted or cancelled. `partial` is the incomplete text so far."""

    default_korean = "답변이 중간에 끊겼습니다. 다시 시도해 주세요."

    def __init__(self, message: str, *, partial: str = "", korean: str | None = None) -> None:
        super().__init__(message, korean=korean)
        self.partial = partial
