"""The names of the page's texts. korean_texts and english_texts have the wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rag.errors import InputError, RagError
from rag.types import Notice

Language = Literal["ko", "en"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language. `{name}` is a placeholder for str.format."""

    language: Language
    title: str
    subtitle: str
    welcome: str
    starters: str
    notice: str
    box_label: str
    box_placeholder: str
    send: str
    stop: str
    retry: str
    clear: str
    bank: str
    category: str
    everything: str
    chat_label: str
    your_question: str
    our_answer: str
    scroll_down: str
    loading: str
    failed: str
    waiting: str
    searching: str
    writing: str
    stopped: str
    generated: str
    checked: str
    partly_checked: str
    weak: str
    masked: str
    empty: str
    too_long: str
    unknown_choice: str
    unexpected: str
    login: str
    login_name: str
    login_password: str
    login_enter: str
    login_wrong: str
    login_failed: str
    login_ended: str
    busy: str
    wrong_values: str
    turn: str
    sources: str
    sources_of: str
    as_of: str
    open_source: str
    back: str
    approved: str
    passage: str
    guidance: str
    more: str
    none_of_these: str
    none_chosen: str
    copy: str
    copied: str
    like: str
    dislike: str
    liked: str
    dislike_why: str
    dislike_reasons: str
    record: str
    edit: str
    editing: str
    undo: str
    restored: str
    cleared: str
    queued: str
    unqueue: str
    limit_near: str
    automated: str
    skip: str
    filters: str
    show_sources: str
    close: str
    answering: str
    whole_text: str
    no_contact: str
    dark: str
    menu: str
    categories: str
    language_note: str
    new_answer: str
    new_sources: str
    no_sources: str
    lost: str
    relevance: str
    relevance_words: str
    chats: str
    search_chats: str
    no_chats: str
    rename: str
    new_name: str
    remove: str
    remove_sure: str
    export: str
    forget: str
    forget_sure: str
    forgotten: str
    shared: str
    notices: Mapping[Notice, str]
    errors: Mapping[type[RagError], str]
    """Messages for visitors by error class; the nearest base class applies. An InputError's own message is shown instead."""

    def step(self, step: str, done: int, total: int) -> str:
        """One line of progress. Step names are Korean, so other languages show the count only."""
        name = step if step and self.language == "ko" else self.loading
        return f"{name} … {done}/{total}" if total else f"{name} …"

    def error(self, error: RagError) -> str:
        """The error's message for visitors. Not `str(error)`, which is for operators: it names endpoints, files and settings."""
        if self.language == "ko":
            return error.korean
        if isinstance(error, InputError):
            return str(error)
        return next(self.errors[kind] for kind in type(error).__mro__ if kind in self.errors)
