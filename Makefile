# fundingscout. `make demo` sets up and runs the main job; `make test` sets up and runs the tests.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.PHONY: browser-test inventory help demo demo-ui test up lint types contracts check lock clean
.DEFAULT_GOAL := help

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/.run  ## set up, then run the main job on the samples of data/samples
	@$(BIN)/fundingscout demo

demo-ui: .venv/.run  ## the demo, then the Dagster UI on what it did (Ctrl-C stops it)
	@$(BIN)/fundingscout demo --stay

up: .venv/.run  ## the service on this machine: Dagster UI, sensors, schedules (Ctrl-C stops it)
	@$(BIN)/fundingscout up

test: .venv/.dev  ## set up, then run the whole test suite, one process per core (at most four)
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

browser-test: .venv/.dev  ## an analyst's morning in headless Chromium (which it needs, with node); SCREENSHOTS=folder keeps the pictures
	@$(BIN)/pytest tests/browser/journey.py

lint: .venv/.dev  ## style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

inventory: .venv/.dev  ## write the list of all Dagster definitions anew (tests/unit/defs/inventory.txt)
	@RENEW_INVENTORY=1 $(BIN)/pytest -q -k inventory tests/unit/defs/test_definitions.py

types: .venv/.dev  ## types, strict on the domain packages
	@$(BIN)/mypy

contracts: .venv/.dev  ## who may import whom
	@$(BIN)/lint-imports

check: lint types contracts test  ## all that CI runs

lock: .venv/.dev  ## renew constraints/*.txt from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		--extra build pyproject.toml -o constraints/run.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra dev -c constraints/run.txt pyproject.toml -o constraints/dev.txt

.venv/.run: constraints/run.txt pyproject.toml | .venv/bin/python
	@./.ci/install constraints/run.txt && touch $@

.venv/.dev: constraints/dev.txt pyproject.toml | .venv/bin/python
	@./.ci/install constraints/dev.txt && touch $@ .venv/.run

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fundingscout needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv

clean:  ## remove the environment and the demo's state (data/state is kept)
	rm -rf .venv data/demo dbt_project/target dbt_project/logs .mypy_cache .ruff_cache .pytest_cache
