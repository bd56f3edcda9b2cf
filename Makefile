# Everything a newcomer needs: `make demo` runs the quickstart study, `make test` the tests.
# Another Python or PyTorch: `make demo PYTHON=python3.12 TORCH=torch==2.12.0`.
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.ready
DEMO := demo

.PHONY: demo test lint format types imports schema evidence clean

demo: $(SETUP)
	test -f $(DEMO)/study.yaml || $(BIN)/glotmix init $(DEMO) --preset quickstart
	$(BIN)/glotmix run $(DEMO)

test: $(SETUP)
	$(BIN)/pytest

lint: $(SETUP) imports types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(SETUP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(SETUP)
	$(BIN)/mypy

imports: $(SETUP)
	$(BIN)/lint-imports

# The JSON schema of study.yaml, for editors; a test says when it is no longer current.
schema: $(SETUP)
	$(BIN)/python -m glotmix.study.schema

# docs/evidence.md: the claims of published studies, checked; a test says when it is no longer current.
evidence: $(SETUP)
	$(BIN)/python -m glotmix.evidence

# PyTorch first and by itself, so that nothing else decides which build comes.
$(SETUP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "glotmix needs Python 3.11 or newer; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(SETUP)

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
