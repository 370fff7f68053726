# Runyard. `make` lists what there is; everything is set up in .venv on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?= tests

PEERS := $(VENV)/peers
RUNTIME := $(VENV)/.runtime-stamp
DEV := $(VENV)/.dev-stamp
# pip prints a warning line for each package source that is set up but absent: noise, not trouble
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
QUIETLY := 2> >(grep -v '^WARNING: Location' >&2)
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help demo serve test lint types chaos bench peeking clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  ARGS="..." is passed on, for example: make demo ARGS="--exit"'

demo: export RUNYARD_HOME ?= ./.runyard
demo: $(RUNTIME) ## serve, train the four-way experiment on digits, print the comparison
	@$(BIN)/python -m app.cli demo $(ARGS)

serve: export RUNYARD_HOME ?= ./.runyard
serve: $(RUNTIME) ## serve the dashboard on 127.0.0.1:8000
	@$(BIN)/python -m app.cli serve $(ARGS)

test: export PYTHONDONTWRITEBYTECODE := # pytest rewrites 350 modules: once, not in each process
test: $(DEV) ## run the tests
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder --gpu-tests-on-cpu=few $(TESTS) $(ARGS)

lint: $(DEV) ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/oxlint static/js tests/js
	$(BIN)/oxfmt --check static/js tests/js

types: $(DEV) ## check the types of static/js/model against the API (needs Node)
	npm install --silent --no-audit --no-fund --no-package-lock
	$(BIN)/python -m tests.openapi >types/openapi.json
	npx openapi-typescript types/openapi.json --output types/api.d.ts
	npx tsc --project jsconfig.json

chaos: $(DEV) ## break it at random and attack it; some of it needs root and libfaketime
	$(BIN)/python -m pytest -q -s -m chaos -n 0 -o faulthandler_timeout=2900 $(TESTS) $(ARGS)

bench: $(DEV) $(PEERS)/.stamp ## measure it beside the tutorial's script and other trackers (ARGS=--quick)
	@$(BIN)/python -m benchmarks --peers $(PEERS)/bin/python $(ARGS)

peeking: $(RUNTIME) ## simulate what looking after every seed does
	@$(BIN)/python -m benchmarks.peeking $(ARGS)

clean: ## remove what make set up (your data in .runyard stays)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf *.egg-info

# A stamp newer than pyproject.toml and constraints.txt means: installed, nothing to do.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python is %d.%d: Runyard needs 3.11 or newer, name one with make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no virtual environment could be made: on Debian install python3-venv"; exit 1; }

# Other trackers, away from our own packages
$(PEERS)/.stamp: | $(BIN)/python
	@echo "installing TensorBoard and Trackio for the benchmarks"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check tensorboard trackio $(QUIETLY)
	@touch $@

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing Runyard and PyTorch (several GB, a few minutes the first time)"
	@$(PIP_INSTALL) -e . $(QUIETLY)
	@touch $@

$(DEV): pyproject.toml constraints.txt $(RUNTIME)
	@echo "installing what tests need"
	@$(PIP_INSTALL) -e ".[dev]" $(QUIETLY)
	@touch $@
