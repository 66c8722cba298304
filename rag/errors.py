"""Every error a user can meet, in one tree.

    RagError                     one clear English line (`str(error)`) and one Korean line (`error.korean`)
    ├── PackageMissing           this Python lacks a package: most often the virtual environment is not active
    ├── SettingsError            a setting is unknown, malformed or contradicts another
    ├── InputError               a file, column, row, question or option given by the user is wrong
    │   └── RowErrors            the rows of one or more files that cannot be ingested, all of them
    ├── RecordError              the file of answer records or of the chat history cannot be used
    ├── DeployError              what the chatbot runs on cannot be made, changed, asked or removed
    ├── StoreError               the store cannot do what was asked
    │   ├── FilterError          a filter outside the written list of operators
    │   ├── IndexMissing         no index of that name
    │   ├── IndexMismatch        index and configuration disagree; both values and the command that fixes it are named
    │   ├── IndexDamaged             its files are not what was written: a disk's fault
    │   ├── IndexBusy            another process is writing this index
    │   ├── IndexRejected        its new version does not pass the gates; the one before stays
    │   ├── StoreUnavailable     its server cannot be reached, is overloaded or lacks data; a later try may succeed
    │   └── StoreRefused         its server refuses us: user, password, certificate, permission; trying again will not help
    └── ModelError               an embedding or language model failed
        ├── ModelUnavailable     it cannot be loaded or reached, or is overloaded; the caller may go on without it
        │   ├── ModelTimeout     it did not answer before the deadline
        │   └── ModelPaused      it was not asked, for it failed a moment ago
        ├── ModelRefused         it refuses the request as it is: credentials, name, parameters; trying again will not help
        │   └── ModelInputTooLong    the text is longer than the model takes
        ├── ModelFormatError     its answer is not in the configured format
        └── ModelInterrupted     its answer broke off; `partial` is the text so far

None derives from ValueError or TypeError: LlamaIndex swallows those on its answer path and returns "Empty Response".
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


class RagError(Exception):
    """Root of the tree. `message` is English, for the command line and logs; `korean` is what the page shows."""

    default_korean = "요청을 처리하지 못했습니다. 잠시 후 다시 시도해 주세요."

    def __init__(self, message: str, *, korean: str | None = None) -> None:
        super().__init__(message)
        self.korean = korean or self.default_korean


class PackageMissing(RagError):
    """What is needed to run is not installed where this Python looks."""

    def __init__(self, name: str | None) -> None:
        extra = _EXTRAS.get((name or "").partition(".")[0])
        remedy = f"`pip install '{DISTRIBUTION}[{extra}]'`, or " if extra else ""
        super().__init__(
            f"the package {name!r} is missing in {sys.prefix}: {remedy}`source .venv/bin/activate` first, or `make install`"
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
"""Which extra brings a package that the installed wheel alone does not."""


class SettingsError(RagError):
    """A setting is unknown, malformed or contradicts another."""

    default_korean = "설정이 올바르지 않습니다. 관리자에게 문의해 주세요."


class InputError(RagError):
    """What the user gave is wrong; the message says what to change."""

    default_korean = "입력 내용을 확인해 주세요."


@dataclass(frozen=True, slots=True)
class RowError:
    """One defect: the file, the row as its editor shows it (1 is the header; None: the whole file) and the column."""

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
        """The same line for `--language ko`."""
        where = self.file if self.row is None else f"{self.file} {self.row}행"
        return (
            f"{where}, {self.column!r} 열: {self.korean}" if self.column else f"{where}: {self.korean or self.problem}"
        )


class RowErrors(InputError):
    """All defects of an ingestion at once. Nothing was written."""

    default_korean = "읽을 수 없는 행이 있어 아무것도 저장하지 않았습니다."

    LISTED = 50
    """Defects named in the message; of more it gives the number. A wrong file may have one in each of a million rows."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        self.errors = tuple(errors)
        more = len(self.errors) - self.LISTED
        english = [str(error) for error in self.errors[: self.LISTED]] + [f"and {more} more"] * (more > 0)
        korean = [error.in_korean for error in self.errors[: self.LISTED]] + [f"외 {more}건"] * (more > 0)
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
    """What the chatbot runs on cannot be made, changed, asked or removed; the message says why and what to do."""

    default_korean = "배포하지 못했습니다. 관리자에게 문의해 주세요."


class StoreError(RagError):
    """The store cannot do what was asked."""

    default_korean = "자료 저장소를 사용할 수 없습니다. 잠시 후 다시 시도해 주세요."


class FilterError(StoreError):
    """A filter outside the written list of operators and value types; raised before any I/O."""

    default_korean = "지원하지 않는 검색 조건입니다."


class IndexMissing(StoreError):
    """No index of that name exists."""

    default_korean = "아직 준비된 자료가 없습니다. 관리자에게 문의해 주세요."


class IndexMismatch(StoreError):
    """The index was built with another embedding, dimension, schema or analyzer than the one configured."""

    default_korean = "자료와 설정이 서로 맞지 않습니다. 관리자에게 문의해 주세요."


class IndexDamaged(StoreError):
    """The index's files are not what was written; the files it was made of are to be ingested again."""

    default_korean = "자료가 손상되어 사용할 수 없습니다. 관리자에게 문의해 주세요."


class IndexBusy(StoreError):
    """Another process is writing this index."""

    default_korean = "자료를 갱신하는 중입니다. 잠시 후 다시 시도해 주세요."


class IndexRejected(StoreError):
    """The new version of an index answers its gates' questions worse; `lines` say which. What readers see is unchanged."""

    default_korean = "새 자료가 출시 기준을 통과하지 못해 이전 자료를 그대로 둡니다."

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(("the new rows do not pass the gates; nothing was published:", *lines)))
        self.lines = tuple(lines)


class StoreUnavailable(StoreError):
    """The store's server cannot be reached, is overloaded or has data missing; a later try may succeed."""

    default_korean = "자료 저장소에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요."


class StoreRefused(StoreError):
    """The store's server refuses us: user, password, certificate or permission; the same call will be refused again."""

    default_korean = "자료 저장소가 접속을 허용하지 않습니다. 관리자에게 문의해 주세요."


class ModelError(RagError):
    """An embedding or language model answered wrongly or failed."""

    default_korean = "답변 모델에 문제가 생겼습니다. 잠시 후 다시 시도해 주세요."


class ModelUnavailable(ModelError):
    """The model cannot be loaded or reached, or has no capacity left; a later try may succeed."""

    default_korean = "답변 모델을 지금 사용할 수 없습니다."


class ModelTimeout(ModelUnavailable):
    """The model did not answer before the deadline; the request's time is used up."""

    default_korean = "답변이 제시간에 준비되지 않았습니다. 잠시 후 다시 시도해 주세요."


class ModelPaused(ModelUnavailable):
    """The model was not asked: it was unavailable to the calls before, and nobody shall wait for it again so soon."""


class ModelRefused(ModelError):
    """The model's endpoint refuses the request as it is; the same request will be refused again."""

    default_korean = "답변 모델이 요청을 받아들이지 않았습니다. 관리자에게 문의해 주세요."


class ModelInputTooLong(ModelRefused):
    """The text, or the batch of texts, is longer than the model takes."""

    default_korean = "내용이 너무 길어 처리할 수 없습니다. 질문을 줄여 다시 시도해 주세요."


class ModelFormatError(ModelError):
    """The model's answer is not in the configured format."""

    default_korean = "답변 모델의 응답을 읽을 수 없습니다. 관리자에게 문의해 주세요."


class ModelInterrupted(ModelError):
    """The answer broke off or was cancelled before its end; `partial` is the text so far, never a finished answer."""

    default_korean = "답변이 중간에 끊겼습니다. 다시 시도해 주세요."

    def __init__(self, message: str, *, partial: str = "", korean: str | None = None) -> None:
        super().__init__(message, korean=korean)
        self.partial = partial
