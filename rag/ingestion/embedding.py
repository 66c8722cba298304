"""Texts to checked vectors, and the fingerprint that tells one embedding from another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode

from rag.errors import ModelError
from rag.ingestion.chunking import combine, views
from rag.stores.base import Manifest
from rag.vectors import Matrix, unit_vectors

NO_FINGERPRINT = "none"
# Never to be changed: every index has their vectors in its fingerprint, and would be embedded again.
_PROBES = (
    "통장을 잃어버렸어요. 어떻게 해야 하나요?",
    "이체한도를 올리려면 영업점에 가거나 OTP를 등록해야 합니다.",
    "금융인증서의 유효기간은 발급일로부터 3년입니다.",
)
_SUMS = 4
_STEP = 0.25


def manifest_of(embed_model: BaseEmbedding | None) -> Manifest:
    """The manifest of an index built with this embedding; None: lexical search alone.

    Embeds three probe texts in two ways. Raises ModelError where the model fails or gives unusable vectors.
    """
    if embed_model is None:
        return Manifest(dimension=0, fingerprint=NO_FINGERPRINT)
    # Both ways: models put different prefixes before questions and passages.
    probes = [embed_model.get_query_embedding(text) for text in _PROBES]
    probes += embed_model.get_text_embedding_batch(list(_PROBES))
    vectors = _unit_vectors(probes, 2 * len(_PROBES), None)
    return Manifest(dimension=vectors.shape[1], fingerprint=_fingerprint(vectors))


def fingerprint(embed_model: BaseEmbedding | None) -> str:
    """16 hexadecimal digits: a hash of the dimension and of rounded vectors of three texts as queries and as passages.

    So model, prefixes and pooling all count. Rounding every number to two decimals would not survive float noise: of six
    times 384 numbers one often lies on the edge between two roundings (of 2,000 simulated models 10 % changed under noise
    of length 1e-5, 64 % under 1e-4). So each unit vector is summed four times with fixed random signs, which gives a few
    numbers of about unit size, and these are rounded to quarters: .05 % and .8 % changed, while every model turned by a
    tenth of a radian was told apart.
    """
    return manifest_of(embed_model).fingerprint


def embed_nodes(
    embed_model: BaseEmbedding, nodes: Sequence[TextNode], *, dimension: int | None = None
) -> list[list[float]]:
    """One unit vector for each node, in order. Equal texts are embedded once, longest first: texts of like length make less
    padding in a batch, and of several threads none is left with a long text at the end.

    Raises ModelError when the model gives another count, another dimension or numbers that are not finite.
    """
    texts = [views(node) for node in nodes]
    # FAQs repeat themselves between institutions; each text is embedded once.
    distinct = sorted({text for of_node in texts for text in of_node}, key=lambda text: (-len(text), text))
    vectors = _unit_vectors(embed_model.get_text_embedding_batch(distinct), len(distinct), dimension)
    by_text = dict(zip(distinct, vectors.tolist(), strict=True))
    return [combine([by_text[text] for text in of_node]) for of_node in texts]


def _unit_vectors(vectors: Sequence[Sequence[float]], count: int, dimension: int | None) -> Matrix:
    fix = "check the embedding model and its DIMENSION"
    return unit_vectors(
        vectors, source="the embedding model", error=ModelError, fix=fix, count=count, dimension=dimension
    )


def _fingerprint(unit: Matrix) -> str:
    dimension = unit.shape[1]
    bits = np.frombuffer(hashlib.shake_256(b"signs").digest(-(-dimension * _SUMS // 8)), dtype=np.uint8)
    # From a hash, not a seeded generator, whose numbers may change with numpy's version.
    signs = 1.0 - 2.0 * np.unpackbits(bits)[: dimension * _SUMS].reshape(dimension, _SUMS)
    # Exact vectors would differ between two machines' libraries, and each would embed everything again.
    rounded = np.rint(unit @ signs / _STEP).astype(int).tolist()
    return hashlib.sha256(repr((dimension, rounded)).encode()).hexdigest()[:16]
