"""The groups of settings, one class each: names, types, limits, defaults and descriptions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_HTTP = r"^https?://"


class _Group(BaseModel):
    # A misspelt name within a group is found here; one of a group by `rag.settings`.
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Group):
    """Where the passages are kept."""

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
        default=None, description="A gates.toml that every ingestion must pass; `ingest --gate FILE` names another."
    )


class OpenSearchSettings(_Group):
    """The OpenSearch server, or Amazon OpenSearch domain, of FSI_STORE__BACKEND=opensearch."""

    url: str | None = Field(
        default=None, description="Its address, https://HOST:PORT; several nodes of a cluster separated by commas."
    )
    auth: Literal["none", "basic", "sigv4"] = Field(
        default="basic", description="Login: none, basic (user and password) or sigv4 (AWS credentials)."
    )
    user: str | None = Field(default=None, description="User, for auth basic.")
    password: SecretStr | None = Field(default=None, description="Password, for auth basic.")
    ca_certs: Path | None = Field(
        default=None, description="PEM file of the authority that signed its certificate. Unset: the well-known ones."
    )
    region: str | None = Field(default=None, description="AWS region, for auth sigv4. Unset: as boto3 finds it.")
    engine: Literal["lucene", "faiss"] = Field(
        default="lucene", description="What a large index's graph is built with; faiss needs its native library there."
    )
    shards: int = Field(default=1, ge=1, le=1024, description="Parts a new index is split into.")
    timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for an answer.")


class EmbeddingSettings(_Group):
    """What turns text into vectors."""

    backend: Literal["local", "sagemaker", "openai_like"] = Field(
        default="local",
        description="Embedding: local (e5-small, in process), sagemaker (an endpoint) or openai_like (vLLM, TEI, Ollama).",
    )
    threads: int = Field(
        default=2, ge=1, le=64, description="Threads of the local embedder; it shares the cores with the server."
    )
    endpoint_name: str | None = Field(default=None, description="SageMaker endpoint of the embedding.")
    base_url: str | None = Field(
        default=None,
        pattern=_HTTP,
        description="Address of the OpenAI-like API, with its path: http://10.0.0.7:8080/v1.",
    )
    model: str | None = Field(default=None, description="The embedding's name there (openai_like).")
    api_key: SecretStr | None = Field(default=None, description="Key of that API, if it wants one.")
    inference_component: str | None = Field(
        default=None, description="Inference component on that endpoint, if it has any."
    )
    format: Literal["hf", "tei", "openai", "embeddings"] = Field(
        default="tei",
        description="What the endpoint's container answers: hf (token vectors), tei, openai, embeddings.",
    )
    pooling: Literal["cls", "mean"] = Field(
        default="cls", description="What makes one vector of a text's token vectors, for format hf."
    )
    batch_size: int = Field(default=32, ge=1, le=2048, description="Texts in one request at most.")
    concurrency: int = Field(default=8, ge=1, le=64, description="Requests at once at most.")
    dimension: int | None = Field(
        default=None, ge=1, description="Numbers in a vector. Unset: whatever the first answer has."
    )
    max_tokens: int = Field(
        default=512, ge=32, description="Window of the endpoint's model, in tokens; longer answers are split."
    )
    query_prefix: str = Field(default="", description="Put before questions, as the endpoint's model was trained.")
    passage_prefix: str = Field(default="", description="Put before passages, as the endpoint's model was trained.")
    deadline: float = Field(default=60.0, gt=0, le=600, description="Seconds a request may take, tries included.")
    query_deadline: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Seconds a question's own request may take; after that it is searched by its words alone.",
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
        default=None, description="The model's name there (openai_like), or its id or inference profile (bedrock)."
    )
    api_key: SecretStr | None = Field(default=None, description="Key of the OpenAI-like API, if it wants one.")
    region: str | None = Field(default=None, description="AWS region of Bedrock. Unset: that of the AWS configuration.")
    inference_component: str | None = Field(
        default=None, description="Inference component on that endpoint, if it has any."
    )
    format: Literal["kullm", "tgi", "lmi", "openai"] = Field(
        default="openai",
        description="What the container takes: kullm, tgi or lmi (KULLM's prompt as text), openai (chat messages).",
    )
    context_window: int = Field(default=2048, ge=256, description="Tokens of prompt and answer together at most.")
    max_new_tokens: int = Field(default=512, ge=1, description="Tokens of an answer at most.")
    do_sample: bool | None = Field(
        default=None, description="Sample (true) or take the likeliest (false). Unset: not sent."
    )
    temperature: float | None = Field(default=None, ge=0, le=5, description="Temperature. Unset: not sent.")
    top_p: float | None = Field(default=None, gt=0, le=1, description="Nucleus sampling. Unset: not sent.")
    top_k: int | None = Field(default=None, ge=-1, description="Tokens to choose from. Unset: not sent.")
    repetition_penalty: float | None = Field(default=None, gt=0, description="Repetition penalty. Unset: not sent.")
    eos_token_id: int | None = Field(default=None, ge=0, description="Token that ends an answer. Unset: not sent.")
    deadline: float = Field(
        default=60.0, gt=0, le=480, description="Seconds an answer may take, tries and streaming included."
    )
    stall: float = Field(
        default=20.0,
        gt=0,
        le=480,
        description="Seconds the language model may be silent; before its first word too, unless FIRST_TOKEN is set.",
    )
    first_token: float | None = Field(
        default=None, gt=0, le=480, description="Seconds to the language model's first word. Unset: as long as STALL."
    )


class RetrievalSettings(_Group):
    """How passages are found."""

    top_k: int = Field(default=5, ge=1, le=50, description="Sources of one answer at most.")
    candidates: int = Field(
        default=50, ge=10, le=500, description="Candidates per list (dense, lexical) before fusion."
    )


class ChatSettings(_Group):
    """How a question is answered."""

    answer_mode: Literal["auto", "model", "verbatim"] = Field(
        default="auto",
        description="auto: the language model if there is one; model: there must be one; verbatim: always the approved text.",
    )
    answer_seconds: float = Field(
        default=60.0,
        gt=0,
        le=480,
        description="Seconds the language model may take for one answer; past them the approved text is shown.",
    )
    release: Literal["sentence", "token"] = Field(
        default="sentence",
        description="What of the language model's text is shown: sentence (checked against its sources), "
        "or token (as it comes, marked as unchecked, then settled).",
    )
    max_question_chars: int = Field(
        default=1000, ge=50, le=10_000, description="Longer questions are refused, in characters of NFKC."
    )
    institution: str | None = Field(
        default=None,
        description="Whose FAQ it is, where the rows have no bank column: NAME, or NAME=alias|alias; several with commas. "
        "Also further names of institutions in that column.",
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
        default="off", description="How well a source fits, shown to customers: off, word or bar."
    )
    trusted_hosts: str | None = Field(
        default=None,
        description="Host names the page answers to, separated by commas. Unset: this machine's own where it listens there "
        "alone and no proxy is before it, else any.",
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Addresses or networks of proxies whose X-Forwarded headers are believed, separated by commas. "
        "Unset: none; with a root path, this machine.",
    )
    open_to_all: bool = Field(
        default=False, description="Listen on an address of the network without a login: whoever reaches it may ask."
    )
    metrics: bool = Field(
        default=True, description="Serve counts and times at /metrics (Prometheus); never with --share."
    )
    mcp: bool = Field(
        default=False, description="Let programs ask by the Model Context Protocol: its tool `ask`, at POST /mcp."
    )
    shutdown_seconds: float = Field(
        default=5.0, ge=0, le=300, description="On SIGTERM, seconds that answers being written may still take."
    )
    answers_at_once: int | None = Field(
        default=None,
        ge=1,
        le=150,
        description="Answers made at the same time. Unset: as many as cores (at least 2), 40 with a language model.",
    )
    connections_per_address: int = Field(
        default=600,
        ge=10,
        description="Connections one address may hold; a stated proxy's are not counted. A tab holds two.",
    )
    request_seconds: float = Field(
        default=30.0, gt=0, le=600, description="Seconds a request may take to arrive, from its first byte to its last."
    )


class RecordSettings(_Group):
    """The masked record of each answer, and what customers say of it. Nobody's name is in it."""

    enabled: bool = Field(default=True, description="Keep a masked record of each answer of the page and of its API.")
    file: Path = Field(default=Path(".fsi/records.sqlite"), description="File of the answer records.")
    days: int = Field(default=365, ge=0, description="Days an answer record is kept; 0: for ever.")
    max_mb: int = Field(
        default=10_000,
        ge=1,
        description="Largest size of the file, MB; a line in the log says that it is reached.",
    )


class HistorySettings(_Group):
    """Visitors' own chats, by their browser's cookie."""

    enabled: bool = Field(default=True, description="Keep visitors' chats over reloads and restarts.")
    file: Path = Field(default=Path(".fsi/history.sqlite"), description="File of the chats.")
    key: SecretStr | None = Field(
        default=None, description="Encrypts the chats in the file. Unset: they are plain text."
    )
    days: int = Field(default=180, ge=0, description="Days a chat is kept after its last answer; 0: until deleted.")
    max_mb: int = Field(default=2_000, ge=1, description="Largest size of the file, MB; no chat is kept beyond it.")


class LogSettings(_Group):
    """What is written to standard error. Question texts never are."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Least severe level written; unset, the commands other than `ingest` write from WARNING on.",
    )
    format: Literal["text", "json"] = Field(
        default="text", description="One line of text or one JSON object per record."
    )
