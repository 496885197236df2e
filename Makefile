# Everything that people and CI run. Needs Python 3.11 or newer, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .outreach/demo.db

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench oracle faults prove docs law lock schema clean

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' Makefile | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

$(VENV)/.run: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.run  ## run the sample campaigns against the sandbox: days in seconds, nobody's phone rings
	@rm -f $(DEMO) $(DEMO).lock
	@echo '$$ outreach validate campaigns --no-contacts'
	@$(BIN)/outreach validate campaigns --no-contacts
	@echo; echo '$$ outreach plan campaigns/april-reminders.yaml'
	@$(BIN)/outreach plan campaigns/april-reminders.yaml
	@echo '$$ outreach run campaigns --sandbox'
	@# Exit code 5 says that some people could not be reached; in the sandbox as in life, that is no fault.
	@$(BIN)/outreach --ledger sqlite:///$(DEMO) run campaigns --sandbox --seed 7 --yes || test $$? -eq 5

test: $(VENV)/.dev  ## run all tests
	@$(BIN)/pytest -n auto

check: $(VENV)/.dev  ## everything that CI checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/outreach schema --check schema.json
	@$(MAKE) --no-print-directory test

fix: $(VENV)/.dev  ## format, and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## measure: lateness, planning, rules, windows, throughput, handing over
	@$(BIN)/python -m benchmarks

oracle: $(VENV)/.dev  ## hold the windows against a walk over every zone, minute by minute; takes minutes
	@$(BIN)/python -m tests.rules.oracle

schema: $(VENV)/.run  ## write schema.json anew from the models
	$(BIN)/outreach schema --output schema.json

law: $(VENV)/.run  ## write the quick form of the table of law anew
	$(BIN)/python -m runner.files.law_table

faults: $(VENV)/.dev  ## print what comes of each fault at each provider
	@$(BIN)/python -m tests.faults.matrix

prove: $(VENV)/.dev  ## prove what is promised and write the figures down; hours, or ONLY=name for one
	@$(BIN)/python -m tests.proofs $(ONLY)

docs: $(VENV)/.dev  ## write the generated pages and the picture anew
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_picture.py

lock: $(VENV)/.dev  ## pin all dependencies anew, with hashes
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.txt pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean:  ## remove what was installed and made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .outreach dist
