"""Prints figures about the code of rag/ by package and in total: `python -m tests.code_figures`. Nothing depends on them.

- documented: share of the public functions, methods and classes with a docstring. Public: no leading underscore in the name
  or in what it is defined in; not a function inside a function, not an overload or a bare Protocol member;
- one-use: private functions and methods whose body has at most three lines and whose name is used once in their package,
  per 100 functions. Hooks that LlamaIndex or Python call are left out;
- comments: lines with a comment, other than those for tools, per 100 lines with code;
- mean and longest: lines of a function with its signature but without its docstring, and of a file.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = re.compile(r"#\s*(noqa|type:|pragma|fmt:|!)")
SHORT = 3
Function = ast.FunctionDef | ast.AsyncFunctionDef
HOOKS = frozenset(
    {"_retrieve", "_aretrieve", "_postprocess_nodes", "_query", "_aquery", "_get_prompts", "_update_prompts"}
    | {"_get_prompt_modules", "_get_query_embedding", "_aget_query_embedding", "_get_text_embedding"}
    | {"_aget_text_embedding", "_get_text_embeddings", "_aget_text_embeddings"}
)
"""Methods with a leading underscore that LlamaIndex calls."""


@dataclass
class Figures:
    """Counts of one file, a package or all packages. `longest`: lines and name of the longest file."""

    public: int = 0
    documented: int = 0
    functions: int = 0
    function_lines: int = 0
    one_use: list[str] = field(default_factory=list)
    code_lines: int = 0
    comments: int = 0
    longest: tuple[int, str] = (0, "")

    def add(self, other: Figures) -> None:
        """Add the counts of `other`."""
        self.public += other.public
        self.documented += other.documented
        self.functions += other.functions
        self.function_lines += other.function_lines
        self.one_use += other.one_use
        self.code_lines += other.code_lines
        self.comments += other.comments
        self.longest = max(self.longest, other.longest)

    def row(self) -> str:
        """One line of the table with HEADER."""
        functions, public, lines = max(1, self.functions), max(1, self.public), max(1, self.code_lines)
        return (
            f"{100 * self.documented / public:10.0f} % {100 * len(self.one_use) / functions:8.1f} "
            f"{100 * self.comments / lines:9.1f} {self.function_lines / functions:5.1f} "
            f"{self.longest[0]:8} {self.longest[1]}"
        )


HEADER = f"{'':22} {'documented':>12} {'one-use':>8} {'comments':>9} {'mean':>5} {'longest':>8}"


def figures(paths: Sequence[Path]) -> Figures:
    """The figures of the files of one package, taken together because a helper may be used in another file."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    uses = Counter(name for tree in trees.values() for name in _names(tree))
    # A name defined by several classes is a method that a base class calls, not a helper.
    defined = Counter(node.name for tree in trees.values() for node in ast.walk(tree) if isinstance(node, Function))
    uses.update(name for name, count in defined.items() if count > 1)
    total = Figures()
    for path, tree in trees.items():
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
        public = list(_public(tree))
        total.add(
            Figures(
                public=len(public),
                documented=sum(ast.get_docstring(node) is not None for node in public),
                functions=len(functions),
                function_lines=sum(_length(node) + node.body[0].lineno - node.lineno for node in functions),
                one_use=[f"{name}:{node.name}" for node in functions if _is_one_use(node, uses)],
                code_lines=_code_lines(text),
                comments=len(list(_comments(text))),
                longest=(len(text.splitlines()), name),
            )
        )
    return total


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Classes and functions with a public name, and those inside public classes."""
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_") or _is_declared_only(node):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node)


def _is_declared_only(node: Function | ast.ClassDef) -> bool:
    """Whether its body is `...`, or it is the setter of a property, which has the docstring."""
    setters = [each for each in node.decorator_list if isinstance(each, ast.Attribute) and each.attr == "setter"]
    last = node.body[-1]
    ellipsis = isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant) and last.value.value is ...
    return bool(setters) or (ellipsis and len(node.body) == 1)


def _names(tree: ast.Module) -> Iterator[str]:
    """Every use of a name, as a variable or as an attribute; definitions are not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _is_one_use(node: Function, uses: Counter[str]) -> bool:
    hook = node.name.startswith("__") or node.name in HOOKS or bool(node.decorator_list)
    return node.name.startswith("_") and not hook and _length(node) <= SHORT and uses[node.name] == 1


def _length(node: Function) -> int:
    """Number of lines of the body without its docstring."""
    first = node.body[1] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or first.lineno) - first.lineno + 1


def _code_lines(text: str) -> int:
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines)


def _comments(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not TOOLS.match(token.string):
            yield token.string


def main() -> None:
    """Print one line per package, one for all of rag/, and the names of the one-use helpers."""
    total = Figures()
    print(HEADER)
    packages = [ROOT / "rag", *sorted(path for path in (ROOT / "rag").rglob("*/") if list(path.glob("*.py")))]
    for package in packages:
        counted = figures(sorted(package.glob("*.py")))
        print(f"{package.relative_to(ROOT).as_posix():22} {counted.row()}")
        total.add(counted)
    print(f"{'all':22} {total.row()}")
    print("\none-use helpers:", *(total.one_use or ["none"]), sep="\n  ")


if __name__ == "__main__":
    main()
