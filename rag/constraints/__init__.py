"""What a text pins down: quantities, products and actions that exclude each other, institutions; and whether two texts agree.

Pure functions over precompiled patterns, no models: `compare` a question with a row, `StatedQuantities` of passages.
"""

from rag.constraints.agreement import Agreement, Conflict, compare
from rag.constraints.contrasts import Contrasts, default_contrasts
from rag.constraints.institutions import InstitutionMention, InstitutionNames
from rag.constraints.quantities import Quantity, read_quantities
from rag.constraints.support import StatedQuantities, quantities_of, unsupported

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
    "unsupported",
]
