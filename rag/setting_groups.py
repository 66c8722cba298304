"""The groups of settings, one class per group: names, types, limits, defaults and descriptions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_HTTP = r"^https?://"


class _Group(BaseModel):
    # Rejects misspelt names within a group; `rag.settings` rejects misspelt groups.
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Group):
    """The store of the passages."""

    backend: Literal["faiss", "opensearch"] = Field(
        default="faiss", description="Vector store: faiss (one machine) or opensearch (a server or cluster)."
    )
    index: str | None = Field(
        default=None,
        description="Index to answer from. Unset: the bundled FAQ, built on first use.",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
    )
    directory: Path = Field(default=Path(".fsi/indexes"), description="Folder of the FAISS indexes.")
    gates: Path | None = Field(
        default=None, description="A gates.toml that every ingestion must pass; `ingest --gate FILE` uses another one."
    )


class OpenSearchSettings(_Group):
    """The OpenSearch server, or Amazon OpenSearch domain, of FSI_STORE__BACKEND=opensearch."""

    url: str | None = Field(
        default=None,
        description="Address of the server, https://HOST:PORT; several nodes of a cluster separated by commas.",
    )
    auth: Literal["none", "basic", "sigv4"] = Field(
        default="basic", description="Login: none, basic (user and password) or sigv4 (AWS credentials)."
    )
    user: str | None = Field(default=None, description="User, for auth basic.")
    password: SecretStr | None = Field(default=None, description="Password, for auth basic.")
    ca_certs: Path | None = Field(
        default=None, description="PEM file of the CA of the server's certificate. Unset: the well-known CAs."
    )
    region: str | None = Field(
        default=None, description="AWS region, for auth sigv4. Unset: that of the AWS configuration."
    )
    engine: Literal["lucene", "faiss"] = Field(
        default="lucene",
        description="Library of a large index's k-NN graph; faiss needs its native library on the server.",
    )
    shards: int = Field(default=1, ge=1, le=1024, description="Shards of a new index.")
    timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for an answer.")


class EmbeddingSettings(_Group):
    """The embedding model."""

    backend: Literal["local", "sagemaker", "openai_like"] = Field(
        default="local",
        description="Embedding: local (e5-small, in process), sagemaker (an endpoint) or openai_like (vLLM, TEI, Ollama).",
    )
    threads: int = Field(
        default=2, ge=1, le=64, description="Threads of the local embedding; it shares the cores with the server."
    )
    endpoint_name: str | None = Field(default=None, description="SageMaker endpoint of the embedding.")
    base_url: str | None = Field(
        default=None,
        pattern=_HTTP,
        description="Address of the OpenAI-like API, with its path: http://10.0.0.7:8080/v1.",
    )
    model: str | None = Field(default=None, description="Name of the embedding model (openai_like).")
    api_key: SecretStr | None = Field(default=None, description="Key of the API, if it needs one.")
    inference_component: str | None = Field(
        default=None, description="Inference component on that endpoint, if it has any."
    )
    format: Literal["hf", "tei", "openai", "embeddings"] = Field(
        default="tei",
        description="Answer format of the endpoint's container: hf (token vectors), tei, openai or embeddings.",
    )
    pooling: Literal["cls", "mean"] = Field(
        default="cls", description="How the token vectors of a text are combined, for format hf."
    )
    batch_size: int = Field(default=32, ge=1, le=2048, description="Maximum number of texts in a request.")
    concurrency: int = Field(default=8, ge=1, le=64, description="Maximum number of parallel requests.")
    dimension: int | None = Field(
        default=None, ge=1, description="Length of the vectors. Unset: as in the first answer."
    )
    max_tokens: int = Field(
        default=512, ge=32, description="Window of the endpoint's model, in tokens; longer passages are split."
    )
    query_prefix: str = Field(default="", description="Text added before questions, as the model was trained with it.")
    passage_prefix: str = Field(default="", description="Text added before passages, as the model was trained with it.")
    deadline: float = Field(default=60.0, gt=0, le=600, description="Seconds for a request, including retries.")
    query_deadline: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Seconds to embed a question, including retries; after that only lexical search is used.",
    )


class LlmSettings(_Group):
    """The language model. Without one, the approved FAQ text is quoted word for word."""

    backend: Literal["none", "sagemaker", "openai_like", "bedrock"] = Field(
        default="none",
        description="Language model: none (quote the FAQ), sagemaker (an endpoint), openai_like (vLLM, Ollama) or bedrock.",
    )
    endpoint_name: str | None = Field(default=None, description="SageMaker endpoint of the language model.")
    base_url: str | None = Field(
        default=None,
        pattern=_HTTP,
        description="Address of the OpenAI-like API, with its path: http://10.0.0.7:8000/v1.",
    )
    model: str | None = Field(
        default=None, description="Name of the model (openai_like), or its id or inference profile (bedrock)."
    )
    api_key: SecretStr | None = Field(default=None, description="Key of the OpenAI-like API, if it needs one.")
    region: str | None = Field(default=None, description="AWS region of Bedrock. Unset: that of the AWS configuration.")
    inference_component: str | None = Field(
        default=None, description="Inference component on that endpoint, if it has any."
    )
    format: Literal["kullm", "tgi", "lmi", "openai"] = Field(
        default="openai",
        description="Request format of the container: kullm, tgi or lmi (KULLM's prompt as text), openai (chat messages).",
    )
    context_window: int = Field(
        default=2048, ge=256, description="Maximum number of tokens of prompt and answer together."
    )
    max_new_tokens: int = Field(default=512, ge=1, description="Maximum number of tokens of an answer.")
    do_sample: bool | None = Field(
        default=None, description="Sample tokens (true) or take the most likely (false). Unset: not sent."
    )
    temperature: float | None = Field(default=None, ge=0, le=5, description="Temperature. Unset: not sent.")
    top_p: float | None = Field(default=None, gt=0, le=1, description="Nucleus sampling. Unset: not sent.")
    top_k: int | None = Field(default=None, ge=-1, description="Tokens to choose from. Unset: not sent.")
    repetition_penalty: float | None = Field(default=None, gt=0, description="Repetition penalty. Unset: not sent.")
    eos_token_id: int | None = Field(default=None, ge=0, description="Token that ends an answer. Unset: not sent.")
    deadline: float = Field(
        default=60.0, gt=0, le=480, description="Seconds for an answer, including retries and streaming."
    )
    stall: float = Field(
        default=20.0,
        gt=0,
        le=480,
        description="Seconds that a stream may be silent, also before its first token unless FIRST_TOKEN is set.",
    )
    first_token: float | None = Field(
        default=None, gt=0, le=480, description="Seconds until the first token of a stream. Unset: as STALL."
    )


class NliSettings(_Group):
    """A natural language inference model: the second opinion on a language model's sentences, after the rules."""

    backend: Literal["none", "sagemaker"] = Field(
        default="none",
        description="Check of a language model's sentences: none (rules alone) or sagemaker (an NLI endpoint too).",
    )
    endpoint_name: str | None = Field(default=None, description="SageMaker endpoint of the NLI model.")
    inference_component: str | None = Field(default=None, description="Its inference component, if it has any.")
    format: Literal["hf", "tei"] = Field(
        default="hf", description="Format of the endpoint's container: hf (text-classification) or tei (/predict)."
    )
    entailed: float = Field(
        default=0.9, ge=0.5, le=1, description="Probability of entailment from which other wording is shown, marked."
    )
    contradicted: float = Field(
        default=0.5, ge=0.1, le=1, description="Probability of contradiction from which a sentence is withheld."
    )
    deadline: float = Field(
        default=2.0, gt=0, le=30, description="Seconds for a sentence, including retries; after that the rules decide."
    )


class RetrievalSettings(_Group):
    """The search for passages."""

    top_k: int = Field(default=5, ge=1, le=50, description="Maximum number of sources of an answer.")
    candidates: int = Field(
        default=50, ge=10, le=500, description="Candidates per list (dense, lexical) before fusion."
    )


class ChatSettings(_Group):
    """The answers."""

    answer_mode: Literal["auto", "model", "verbatim"] = Field(
        default="auto",
        description="auto: the language model if one is configured; model: a language model is required; "
        "verbatim: always the approved text.",
    )
    answer_seconds: float = Field(
        default=60.0,
        gt=0,
        le=480,
        description="Seconds that the language model may take for an answer; after that the approved text is shown.",
    )
    release: Literal["sentence", "token"] = Field(
        default="sentence",
        description="How the language model's text is shown: sentence (each checked against its sources), "
        "or token (immediately, marked as unchecked until the end).",
    )
    max_question_chars: int = Field(
        default=1000,
        ge=50,
        le=10_000,
        description="Maximum length of a question in characters, after NFKC normalisation.",
    )
    institution: str | None = Field(
        default=None,
        description="Institution of the FAQ if the rows have no bank column: NAME, or NAME=alias|alias; several separated by "
        "commas. Also adds aliases of institutions in that column.",
    )
    contact: str | None = Field(
        default=None,
        description="How to reach a person, shown when a question is declined. "
        "Unset: the bundled banks' numbers for their FAQ, none for yours.",
    )


class UiSettings(_Group):
    """The chat page."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=7860, ge=1, le=65535, description="Port to listen on; the next free one is taken if it is in use."
    )
    root_path: str = Field(default="", description="Prefix of a stripping proxy, e.g. /jupyterlab/default/proxy/7860.")
    auth_file: Path | None = Field(
        default=None, description="File of `user:hash` lines made by `python -m rag user add`."
    )
    language: Literal["ko", "en"] = Field(default="ko", description="Language of the page.")
    relevance: Literal["off", "word", "bar"] = Field(
        default="off", description="How the relevance of a source is shown to customers: off, word or bar."
    )
    trusted_hosts: str | None = Field(
        default=None,
        description="Host names that the page accepts, separated by commas. Unset: those of this machine if it listens only "
        "there and has no proxy, otherwise any.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses or networks of proxies whose X-Forwarded headers are trusted, separated by commas. "
        "Unset: none; with a root path, this machine.",
    )
    open_to_all: bool = Field(
        default=False,
        description="Allow listening on a network address without a login: everyone who reaches it may ask.",
    )
    metrics: bool = Field(
        default=True, description="Serve counts and durations at /metrics (Prometheus); never with --share."
    )
    mcp: bool = Field(default=False, description="Serve the Model Context Protocol at POST /mcp, with the tool `ask`.")
    shutdown_seconds: float = Field(
        default=5.0, ge=0, le=300, description="Seconds after SIGTERM in which running answers may finish."
    )
    answers_at_once: int | None = Field(
        default=None,
        ge=1,
        le=150,
        description="Maximum number of parallel answers. Unset: the number of cores (at least 2), 40 with a language model.",
    )
    connections_per_address: int = Field(
        default=600,
        ge=10,
        description="Maximum number of connections of an address; those of a trusted proxy are not counted. A tab uses two.",
    )
    request_seconds: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="Seconds in which a request must arrive, from its first byte to its last.",
    )


class RecordSettings(_Group):
    """The masked record of each answer, and customers' feedback. It does not identify customers."""

    enabled: bool = Field(default=True, description="Keep a masked record of each answer of the page and of its API.")
    file: Path = Field(default=Path(".fsi/records.sqlite"), description="File of the answer records.")
    days: int = Field(default=365, ge=0, description="Days that an answer record is kept; 0: forever.")
    max_mb: int = Field(
        default=10_000,
        ge=1,
        description="Maximum size of the file in MB; the log says when it is reached.",
    )


class HistorySettings(_Group):
    """The chats of visitors, who are identified by a cookie of their browser."""

    enabled: bool = Field(default=True, description="Keep visitors' chats across reloads and restarts.")
    file: Path = Field(default=Path(".fsi/history.sqlite"), description="File of the chats.")
    key: SecretStr | None = Field(
        default=None, description="Key that encrypts the chats in the file. Unset: they are stored as plain text."
    )
    days: int = Field(
        default=180, ge=0, description="Days that a chat is kept after its last answer; 0: until it is deleted."
    )
    max_mb: int = Field(default=2_000, ge=1, description="Maximum size of the file in MB; above it no chats are saved.")


class LogSettings(_Group):
    """The log on standard error. It never contains texts of questions."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Lowest level that is logged; if unset, commands other than `ingest` log WARNING and above.",
    )
    format: Literal["text", "json"] = Field(default="text", description="A line of text or a JSON object per record.")
