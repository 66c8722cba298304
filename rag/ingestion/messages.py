"""Messages about files, in English and Korean: defects, for which a file or row is rejected, and notes on what was changed.

Each message has a kind, by which tests and reports count. Its values are quoted from the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rag.errors import RagError, RowError


class Text(NamedTuple):
    """A message in both languages; `{name}` is a placeholder for a value."""

    english: str
    korean: str


_TABLE = (
    'save its table of questions and answers as CSV (in Excel: "CSV UTF-8") or .xlsx; supported: {supported}',
    "질문과 답변의 표를 CSV(엑셀의 “CSV UTF-8”)나 .xlsx로 저장해 주세요. 읽을 수 있는 형식: {supported}",
)

DEFECTS = {
    # Whole files
    "missing": Text("no such file or folder", "파일이나 폴더가 없습니다"),
    "convert": Text(
        "is in a format that is not read: save it as {instead}", "읽지 않는 형식입니다. {instead}(으)로 저장해 주세요"
    ),
    "picture": Text(
        "is a picture: recognise its text (OCR), and save that as PDF or .txt",
        "그림 파일입니다. 문자 인식(OCR)을 하여 PDF나 .txt로 저장해 주세요",
    ),
    "unsupported": Text(f"unsupported kind of file: {_TABLE[0]}", f"읽을 수 없는 형식입니다. {_TABLE[1]}"),
    "archive": Text("is an archive: unpack it and name the folder", "압축 파일입니다. 압축을 푼 폴더를 지정해 주세요"),
    "unreadable": Text("cannot be read: {reason}", "열 수 없습니다: {reason}"),
    "renamed": Text(
        f"is not text but another program's file, renamed: {_TABLE[0]}",
        f"텍스트가 아니라 이름만 바뀐 다른 프로그램의 파일입니다. {_TABLE[1]}",
    ),
    "wrong_kind": Text(
        "is called {suffix} but holds {holds}: give it its own extension, or save it again as {suffix}",
        "이름은 {suffix}이지만 내용은 {holds}입니다. 확장자를 바로잡거나 {suffix}로 다시 저장해 주세요",
    ),
    "password": Text(
        "is protected by a password: save a copy without one", "암호가 걸려 있습니다. 암호를 푼 사본을 저장해 주세요"
    ),
    "old_office": Text(
        "is in the format of Office 97: save it as {instead}", "Office 97 형식입니다. {instead}로 다시 저장해 주세요"
    ),
    "macros": Text(
        "holds macros, which nothing here runs: save it as {instead}",
        "매크로가 들어 있습니다. 매크로 없이 {instead}로 저장해 주세요",
    ),
    "damaged": Text(
        "is damaged or cut off ({reason}): save or copy it again",
        "손상되었거나 일부만 있습니다({reason}). 다시 저장하거나 복사해 주세요",
    ),
    "bomb": Text(
        "unpacks to {size} MB, more than the {limit} MB allowed: split it",
        "압축을 풀면 {size}MB로 한도 {limit}MB를 넘습니다. 나누어 저장해 주세요",
    ),
    "empty": Text("is empty", "비어 있습니다"),
    "no_text": Text(
        "gives no text although it is not empty: save it again, or as .docx or PDF",
        "비어 있지 않은데 글을 읽을 수 없습니다. 다시 저장하거나 .docx나 PDF로 저장해 주세요",
    ),
    "tracked": Text(
        "holds tracked changes that cannot be read as final: accept them and save it again",
        "변경 추적 내용을 최종본으로 읽을 수 없습니다. 변경 내용을 적용한 뒤 다시 저장해 주세요",
    ),
    "scanned": Text(
        "has {pages} page(s) without any text (scanned?): recognise its text first",
        "{pages}쪽에 글자가 없습니다(스캔본). 문자 인식(OCR)을 먼저 해 주세요",
    ),
    "too_long": Text(
        "has {pages} pages, more than the {limit} allowed: split it",
        "{pages}쪽으로 한도 {limit}쪽을 넘습니다. 나누어 주세요",
    ),
    "timeout": Text(
        "was not read within {seconds} s: save it again, or split it",
        "{seconds}초 안에 읽지 못했습니다. 다시 저장하거나 나누어 주세요",
    ),
    "memory": Text("takes too much memory to read: split it", "읽는 데 메모리가 너무 많이 듭니다. 나누어 주세요"),
    "crashed": Text("ends the program that reads it: save it again", "읽는 프로그램이 멈춥니다. 다시 저장해 주세요"),
    "cells": Text(
        "{count} cell(s) without a value, the first {first}", "값이 없는 칸이 {count}개 있습니다. 첫 칸 {first}"
    ),
    "no_rows": Text("has no rows", "행이 없습니다"),
    "no_json_rows": Text(
        "holds no list of objects: expected [{{…}}, …] with a question and an answer each",
        "객체의 목록이 없습니다. 질문과 답변을 가진 [{{…}}, …] 꼴이어야 합니다",
    ),
    # Headers
    "no_column": Text("no such column; the file has {has}", "그런 열이 없습니다. 파일에 있는 열: {has}"),
    "no_required": Text(
        "no such column; the file has {has}: name yours with --columns {option}",
        "그런 열이 없습니다. 파일에 있는 열: {has}. --columns {option} 로 알려 주세요",
    ),
    "twice_in_header": Text("appears more than once in the header", "머리글에 두 번 이상 나옵니다"),
    "reserved": Text("this name is reserved; rename the column", "쓸 수 없는 이름입니다. 열 이름을 바꿔 주세요"),
    "header_quotes": Text("broken quoting in the header", "머리글의 따옴표가 맞지 않습니다"),
    # Rows
    "quotes": Text("broken quoting: {reason}", "따옴표가 맞지 않습니다: {reason}"),
    "fields": Text("{count} fields, the header has {width}", "값이 {count}개인데 머리글은 {width}개입니다"),
    "json": Text("not valid JSON: {reason}", "올바른 JSON이 아닙니다: {reason}"),
    "not_object": Text("not a JSON object", "JSON 객체가 아닙니다"),
    "not_scalar": Text("must be text or a number, not a list or an object", "글자나 숫자여야 합니다"),
    "too_large": Text("is too large a number", "수가 너무 큽니다"),
    "not_text": Text("must be text", "글자여야 합니다"),
    "nul": Text("holds a NUL character", "NUL 문자가 들어 있습니다"),
    "surrogate": Text("holds half of a surrogate pair", "깨진 문자가 들어 있습니다"),
    "byte": Text(
        "byte 0x{byte} on line {line} is neither UTF-8 nor CP949",
        "{line}번째 줄의 바이트 0x{byte}은(는) UTF-8도 CP949도 아닙니다",
    ),
    "unnamed": Text("has a value in a column without a name", "이름 없는 열에 값이 있습니다"),
    "formula": Text(
        "is a formula that was never calculated: open the file in Excel and save it",
        "계산된 값이 없는 수식입니다. 엑셀에서 열어 저장해 주세요",
    ),
    "error_value": Text("shows the error {value}", "오류 값 {value}이(가) 있습니다"),
    "no_value": Text("no {name}", "값이 없습니다({name})"),
    "no_date": Text(
        "{value} is not a date like 2026-01-31", "{value}은(는) 날짜로 읽을 수 없습니다. 2026-01-31처럼 적어 주세요"
    ),
    "before": Text("lies before effective_from", "시작일보다 앞섭니다"),
    "id_used": Text("id {id} is already used in {first}", "번호 {id}은(는) 이미 {first}에서 쓰였습니다"),
    "id_twin": Text(
        "id {id} and its question are already in {first}: leave one of the two out",
        "번호 {id}와 질문이 {first}에도 똑같이 있습니다. 둘 중 하나를 빼 주세요",
    ),
    "phrasing_too_long": Text(
        "the phrasing is longer than half of the embedder's window of {window} tokens",
        "유사질문이 임베딩 모델이 읽는 길이({window} 토큰)의 절반을 넘습니다",
    ),
    "question_too_long": Text(
        "the question is longer than half of the embedder's window of {window} tokens",
        "질문이 임베딩 모델이 읽는 길이({window} 토큰)의 절반을 넘습니다",
    ),
}

NOTES = {
    "title_lines": Text(
        "line {lines} above the header left out: {text}", "머리글 위의 {lines}번째 줄을 뺐습니다: {text}"
    ),
    "index_column": Text(
        "column {column}, which only numbers the rows, left out", "행 번호뿐인 {column} 열을 뺐습니다"
    ),
    "html": Text("HTML in {count} row(s) turned into text", "{count}개 행의 HTML을 글로 바꿨습니다"),
    "typed_breaks": Text(
        r"a typed \r\n in {count} row(s) turned into a line break", r"{count}개 행의 \r\n을 줄바꿈으로 바꿨습니다"
    ),
    "invisible": Text(
        "invisible or control characters in {count} row(s) left out", "{count}개 행의 보이지 않는 문자를 뺐습니다"
    ),
    "hidden_text": Text("hidden text in {count} row(s) left out", "{count}개 행의 숨긴 글을 뺐습니다"),
    "same_answer": Text(
        "{count} row(s) whose answer only repeats the question left out: row {rows}",
        "답변이 질문과 같은 {count}개 행을 뺐습니다: {rows}행",
    ),
    "switched_off": Text(
        "{count} row(s) that their own columns mark as not shown left out: row {rows}",
        "사용·노출하지 않는다고 표시된 {count}개 행을 뺐습니다: {rows}행",
    ),
    "repeated": Text(
        "{count} row(s) that repeat another word for word left out: row {rows}",
        "다른 행과 똑같은 {count}개 행을 뺐습니다: {rows}행",
    ),
    "file_ids": Text(
        "its numbers are used by another file too: its ids begin with {prefix}",
        "번호가 다른 파일과 겹쳐 id 앞에 {prefix}을(를) 붙였습니다",
    ),
    "restarted": Text(
        "its numbers start again in each {by}: its ids begin with its name",
        "{unit}마다 번호가 다시 시작하여 id 앞에 그 이름을 붙였습니다",
    ),
    "hidden_sheets": Text("hidden sheet(s) left out: {names}", "숨긴 시트를 뺐습니다: {names}"),
    "hidden_rows": Text("hidden row(s) left out: {names}", "숨긴 행을 뺐습니다: {names}"),
    "hidden_columns": Text("hidden column(s) left out: {names}", "숨긴 열을 뺐습니다: {names}"),
    "struck": Text("struck-through cell(s) left out: {names}", "취소선이 그어진 칸을 뺐습니다: {names}"),
    "struck_parts": Text(
        "struck-through part(s) of cell(s) left out: {names}", "칸에서 취소선이 그어진 글을 뺐습니다: {names}"
    ),
    "deleted": Text(
        "{count} deletion(s) under track changes left out: read as final",
        "변경 추적에서 지운 {count}곳을 뺐습니다(최종본)",
    ),
    "inserted": Text(
        "{count} insertion(s) under track changes taken as final",
        "변경 추적에서 넣은 {count}곳을 최종본으로 읽었습니다",
    ),
    "footnotes": Text("{count} note(s) put behind their paragraphs", "주 {count}개를 그 문단 뒤에 두었습니다"),
    "hidden": Text("{count} hidden piece(s) of text left out", "숨긴 글 {count}곳을 뺐습니다"),
    "hidden_on_page": Text(
        "{count} hidden character(s) on page {page} left out", "{page}쪽의 보이지 않는 글자 {count}자를 뺐습니다"
    ),
    "charts": Text(
        "slide(s) with a chart or diagram, whose text was not read: {pages}",
        "차트나 다이어그램의 글을 읽지 않은 슬라이드: {pages}",
    ),
    "speaker_notes": Text("speaker notes of {count} slide(s) left out", "슬라이드 {count}장의 발표자 노트를 뺐습니다"),
    "renamed_html": Text("is a page of HTML, named .xls: read as such", "이름은 .xls이지만 HTML이라 그렇게 읽었습니다"),
    "front_matter": Text("settings above the text left out: {text}", "글 앞의 설정을 뺐습니다: {text}"),
    "watermark": Text(
        "{count} character(s) of a watermark on page {page} left out", "{page}쪽의 워터마크 {count}자를 뺐습니다"
    ),
    "hidden_slides": Text("hidden slide(s) left out: {names}", "숨긴 슬라이드를 뺐습니다: {names}"),
    "struck_text": Text("{count} struck-through piece(s) of text left out", "취소선이 그어진 글 {count}곳을 뺐습니다"),
    "one_reader": Text("read by one reader alone, {reader} could not", "한 가지 방법으로만 읽었습니다({reader} 실패)"),
    "other_reader": Text(
        "page {page}: the text of the second reader taken, the first's was garbled",
        "{page}쪽은 글자가 깨져 다른 방법으로 읽었습니다",
    ),
    "pages_without_text": Text(
        "page(s) without text (scanned or empty): {pages}", "글자가 없는 쪽(스캔 또는 빈 쪽): {pages}"
    ),
    "running_lines": Text("{count} header or footer line(s) left out", "머리말·꼬리말 {count}줄을 뺐습니다"),
    "uncertain": Text(
        "{count} amount(s), rate(s) or date(s) that only one reader saw there, marked as uncertain: {values}",
        "한 가지 방법으로만 읽힌 금액·이율·날짜 {count}개를 불확실로 표시했습니다: {values}",
    ),
    "as_document": Text(
        "no questions and answers in the columns {columns}: read as a document's table; if it is an FAQ, name them with "
        "--columns question=…,answer=…",
        "{columns} 열에 질문과 답변이 없어 문서의 표로 읽었습니다. FAQ라면 --columns question=…,answer=…로 열을 알려 주세요",
    ),
    "other_sheets": Text(
        "sheet(s) without questions and answers left out: {names}", "질문과 답변이 없는 시트를 뺐습니다: {names}"
    ),
    "merged": Text(
        "{count} merged cell(s): each of their rows has the value", "병합된 칸 {count}개의 값을 각 행에 넣었습니다"
    ),
}


def defect(file: str, row: int | None, column: str | None, kind: str, **values: object) -> RowError:
    """The RowError for a defect. `kind`: a key of DEFECTS; `values`: fill its text. `row` None: about the whole file."""
    english, korean = DEFECTS[kind]
    return RowError(file, row, column, english.format(**values), korean.format(**values), kind)


class UnreadableFile(RagError):
    """A file cannot be read at all. Functions that read several files catch it. `kind`: a key of DEFECTS."""

    def __init__(self, kind: str, **values: object) -> None:
        super().__init__(DEFECTS[kind].english.format(**values), korean=DEFECTS[kind].korean.format(**values))
        self.kind = kind
        self.values = values

    def to_row_error(self, file: str) -> RowError:
        """The RowError that reports this for the whole `file`."""
        return defect(file, None, None, self.kind, **self.values)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was changed or left out while reading a file. `kind`: a key of NOTES; `values`: fill its text."""

    file: str
    kind: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file}: {NOTES[self.kind].english.format(**self.values)}"

    @property
    def korean(self) -> str:
        """The Korean message."""
        return f"{self.file}: {NOTES[self.kind].korean.format(**self.values)}"


def join_items(items: object, limit: int = 10) -> str:
    """Up to `limit` items of a list or tuple as "2, 3, 7 …"; anything else as text."""
    names = [str(item) for item in items] if isinstance(items, list | tuple) else [str(items)]
    return ", ".join(names[:limit]) + (" …" if len(names) > limit else "")
