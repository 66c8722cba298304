"""Which sentence of a row answers a question: for summaries, and for the mark on the page's cards. Pure; imported in no time."""

from __future__ import annotations

from rag.korean import sentences, tokens


def answering_sentence(question: str, text: str) -> tuple[int, int]:
    """Where the sentence of the text stands that shares most with the question; of equals the first."""
    asked = set(tokens(question))
    spans = []
    for start, end in sentences(text):
        if sentence := text[start:end].strip():
            begin = text.index(sentence, start)
            spans.append((begin, begin + len(sentence)))
    if not spans:
        return 0, len(text)
    # By the share of the question's own words: a long sentence does not win by its length.
    return max(spans, key=lambda span: len(asked & set(tokens(text[span[0] : span[1]]))))
