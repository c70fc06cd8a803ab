# Everything a person or a CI job runs. `make help` lists it.
PYTHON ?= python3
PORT ?= 8080
TEN99POLICY_PORT ?= 8081
UPWORK_PORT ?= 8082
DATA_DIR ?= .coverd
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check audit chaos bench bench-growth fast format lint types contracts diagram errors clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "coverd needs Python 3.11 or newer; say make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "making .venv"; $(PYTHON) -m venv .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing coverd"; $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[fast]'
	@touch $@

.venv/.dev: .venv/.run
	@echo "installing the test tools"; $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[fast,dev]'
	@touch $@

setup: .venv/.run ## Make .venv with .venv/bin/coverd

run: .venv/.run ## Start everything here, insure the guide's example, keep serving
	@exec $(BIN)/coverd up --example --port $(PORT) --ten99policy-port $(TEN99POLICY_PORT) --upwork-port $(UPWORK_PORT) --data-dir $(DATA_DIR)

test: .venv/.dev ## Run the whole test suite
	@$(BIN)/python -m pytest

check: .venv/.dev ## Format, lint, types, import contracts, diagram, fast tests
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/python -m domain.diagram --check README.md && $(BIN)/python -m pytest -m "not slow"

.venv/audit/bin/pip-audit: | .venv/bin/python
	@$(BIN)/python -m venv .venv/audit && .venv/audit/bin/python -m pip install -q --disable-pip-version-check 'pip-audit>=2.9'

audit: .venv/audit/bin/pip-audit ## Look for known faults in all that constraints.txt pins (needs the network)
	@$< --strict --no-deps --disable-pip --progress-spinner off -r constraints.txt

chaos: .venv/.dev ## Kill, stop and fail everything, then check the books (SEED=n ENGAGEMENTS=60 FAULTS=40 LOAD=n REPLICAS=2 JSON=1)
	@PYTHONPATH=tests $(BIN)/python -m chaos $(if $(SEED),--seed $(SEED)) --engagements $(or $(ENGAGEMENTS),60) --faults $(or $(FAULTS),40) $(if $(LOAD),--load $(LOAD)) $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(JSON),--json)

format: .venv/.dev ## Format and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

diagram: .venv/.run ## Draw the life of an engagement into the README
	@$(BIN)/python -m domain.diagram --write README.md

errors: .venv/.dev ## Write the table of vendor errors from its tests
	@PYTHONPATH=tests:. $(BIN)/python -m vendor_errors.table docs/vendor-errors.md

bench: .venv/.dev ## Measure speed beside its floors (ONLY="accept status", JSON=file writes the figures as well)
	@PYTHONPATH=tests $(BIN)/python -m bench $(ONLY) $(if $(JSON),--json $(JSON))

bench-growth: .venv/.dev ## Ask the same of ever larger databases (SIZES=10000,100000 FOLDER=kept JSON=file PICTURE=file.svg)
	@PYTHONPATH=tests $(BIN)/python -m bench.growth --sizes $(or $(SIZES),10000,100000) $(if $(FOLDER),--folder $(FOLDER)) $(if $(JSON),--json $(JSON)) $(if $(PICTURE),--picture $(PICTURE))

clean: ## Remove .venv and caches (never .coverd)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
