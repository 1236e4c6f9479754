# scim-service: what a developer or a newcomer types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n 3
SIZE := 10240
SIZES := 10240 100000 1000000
RULED := 100000

.DEFAULT_GOAL := help
.PHONY: help setup run test check prove bench bench-large bench-seats lock clean

help: ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-11s %s\n", $$1, $$2 }'

setup: $(VENV)/.run ## make .venv with what the service needs, from the hashed lock

run: $(VENV)/.run ## set up, then start the demo on http://127.0.0.1:8080, data in ./data
	@$(BIN)/scim-service demo

test: $(VENV)/.dev ## set up, then run the whole suite on SQLite and PostgreSQL
	@$(PYTEST)

check: $(VENV)/.dev ## format, lint, types, and the rules of the house
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/house

prove: $(VENV)/.dev ## the long proofs with their full counts; goes on where it was, AGAIN=1 starts over, PART=today for a part, SAME=1 the same ways, ONLY=races those named so
	@$(BIN)/python -m tests.prove $(if $(AGAIN),--again) $(if $(PART),--part $(PART)) $(if $(SAME),--same) $(if $(ONLY),--only $(ONLY))

bench: $(VENV)/.dev ## measure beside peers with SIZE people, both databases; writes the tables (ONLY=T1,T8 prints some)
	@$(BIN)/python -m benchmarks --people $(SIZE) $(if $(ONLY),--only $(ONLY))

bench-large: $(VENV)/.dev ## measure growth, with SIZES people; writes the tables
	@$(BIN)/python -m benchmarks.large --people $(SIZES)

bench-seats: $(VENV)/.dev ## measure what licenses cost, one rule for up to RULED people, both databases; writes the tables
	@$(BIN)/python -m benchmarks.seats --people $(RULED)

lock: $(VENV)/.bin ## compile requirements/*.txt anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --group build $(LOCKING) --output-file requirements/run.txt
	@$(BIN)/uv pip compile pyproject.toml --group dev $(LOCKING) --output-file requirements/dev.txt
	@$(BIN)/uv pip compile requirements/bench.in $(LOCKING) --output-file requirements/bench.txt

LOCKING := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"

clean: ## take away what was built; ./data stays
	rm -rf $(VENV) .venv-peers .mypy_cache .pytest_cache .ruff_cache build dist

$(VENV)/.bin:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name it with make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/.bin
	@echo "Installing what the service needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.bin
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run
