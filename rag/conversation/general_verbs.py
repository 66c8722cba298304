"""Is a word a form of an everyday verb that names no thing, such as the 남은 of "남은 보험료"?

The verbs are data (`general_verbs.tsv`), their forms are made by the rules of conjugation.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from rag.constraints.conjugation import conjugate
from rag.data_files import read_table


@lru_cache(maxsize=4096)
def is_general_verb(word: str) -> bool:
    """Whether a word, without the particle or the "요" at its end, is a form of such a verb."""
    return _forms().fullmatch(word) is not None


@cache
def _forms() -> re.Pattern[str]:
    return re.compile("|".join(_forms_of(verb) for row in read_table(__package__, "general_verbs.tsv") for verb in row))


def _forms_of(verb: str) -> str:
    """A pattern of the forms of a verb as a whole word."""
    forms = conjugate(verb)
    patterns = (
        rf"{forms.stem}(?:기|고|게|지|지만|거든|거나|던|던데|더라도)",
        rf"{forms.present}(?:는|는데|는지|는거|는것|는건|는걸|나|니|네)",
        rf"{forms.intention}(?:려|려고|려면|려는데|면|면서|니까)",
        rf"{forms.future}(?:지|까|래|게|때|땐|거|건|걸)?",
        rf"{forms.modifier}(?:데|지|거|것|건|걸|다음|뒤|후)?",
        # Alone, the 써 or 해 of a longer word would be one.
        rf"{forms.connective}(?:서|야|도|줘|주나|주는|본|볼|지나|지는|지면)"
        + (f"|{forms.connective}" if len(verb) > 2 else ""),
        rf"{forms.past}(?:어|어도|는데|는지|던|던데|다|다면|다고|으면|음|지|을때|거든)",
    )
    return "|".join(patterns)
