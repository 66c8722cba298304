"""botocore's own model of a request, taken at its word: patterns, enumerations and upper limits too, which it does not check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tests.deploy.aws.account import Call


def problems(call: Call) -> list[str]:
    """What the service would reject in this request according to its model."""
    shape = service(call.service).operation_model(call.operation).input_shape
    if shape is None:
        return []
    report = ParamValidator().validate(call.given, shape)
    basic = [report.generate_report()] if report.has_errors() else []
    return [*basic, *_walk(call.given, shape, call.operation)]


@lru_cache
def service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def _walk(value: Any, shape: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            for name, each in value.items():
                yield from _walk(each, shape.members[name], f"{path}.{name}")
        case "list":
            yield from _length(len(value), shape, path)
            for place, each in enumerate(value):
                yield from _walk(each, shape.member, f"{path}[{place}]")
        case "map":
            yield from _length(len(value), shape, path)
            for name, each in value.items():
                yield from _walk(name, shape.key, f"{path} (name {name})")
                yield from _walk(each, shape.value, f"{path}.{name}")
        case "string":
            yield from _text(value, shape.metadata, path)
        case "integer" | "long" | "float" | "double":
            if value > shape.metadata.get("max", value):
                yield f"{path}: {value} > {shape.metadata['max']}"


def _length(length: int, shape: Any, path: str) -> Iterator[str]:
    if length > shape.metadata.get("max", length):
        yield f"{path}: {length} members > {shape.metadata['max']}"


def _text(value: str, rules: Mapping[str, Any], path: str) -> Iterator[str]:
    if len(value) > rules.get("max", len(value)):
        yield f"{path}: {len(value)} characters > {rules['max']}"
    if "enum" in rules and value not in rules["enum"]:
        yield f"{path}: {value!r} is none of {rules['enum'][:5]}…"
    if "pattern" in rules and not re.search(_python(rules["pattern"]), value):
        yield f"{path}: {value!r} is not {rules['pattern']}"


_JAVA = {
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
    r"\p{Print}": "[ -~]",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{L}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{N}": r"\d",
}


def _python(pattern: str) -> str:
    """Convert Java's character classes to Python's; the whole text must match."""
    for java, python in _JAVA.items():
        pattern = pattern.replace(java, python)
    return rf"\A(?:{pattern})\Z"
