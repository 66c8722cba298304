"""What a text pins down: quantities, products and actions that exclude each other, institutions; and whether two texts agree.

Pure functions over precompiled patterns, no models. Each module answers one question of a text or of a question and a row:

  read values                       quantity_patterns, quantities; everyday_values ("중1", "서른둘"), named_numbers ("4세대 실손")
  read products, means and actions  contrast_sets (contrasts.toml, terms.tsv), contrasts; aspects (수수료, 한도); compounds;
                                    requested_verbs, requested_nouns, conjugation; synonyms
  read institutions                 institution_list (institutions.tsv), institutions, counterparts
  compare a question with a row     agreement, `compare`, which calls, in this order:
    the row's words for itself      own_institution
    the part that asks              background, kept_things
    the part that explains          guidance
    members of contrast sets        agreement itself
    values of another number        value_conflicts: value_sides, named_numbers, pinned_values
    values that the row lacks       held_values: circumstances, stated_for, stated_otherwise
    (of both)                       mentioned_values: which values count; value_agreement: which are the same
    another kind of the thing       compounds
    a value or aspect asked for     asked_values: limit_periods; aspects
    another action                  actions: directions, requested_verbs
    the last of some keywords       requested_nouns
    what a phrase asks for          asked_phrases
    what has happened               event_states
    more, of a passage              passage_scope
  check a model's statements        support, `StatedQuantities`; further checks are in rag.synthesis
"""

from rag.constraints.agreement import Agreement, Conflict, compare
from rag.constraints.contrasts import Contrasts, default_contrasts
from rag.constraints.institutions import InstitutionMention, InstitutionNames
from rag.constraints.quantities import Quantity, read_quantities
from rag.constraints.support import StatedQuantities, quantities_of

__all__ = [
    "Agreement",
    "Conflict",
    "Contrasts",
    "InstitutionMention",
    "InstitutionNames",
    "Quantity",
    "StatedQuantities",
    "compare",
    "default_contrasts",
    "quantities_of",
    "read_quantities",
]
