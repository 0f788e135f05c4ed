# Every target sets itself up: Python 3.11+ and pip are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# An install is repeated only when its requirement file or pyproject.toml changed: the stamps are what make compares.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/.run

demo: $(VENV)/.run ## the real bot against a simulated Qualtrics, Slack and Teams, on localhost
	$(BIN)/surveybot demo

check: $(VENV)/.dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports

test: check ## check, then all tests on SQLite and PostgreSQL
	$(BIN)/pytest -n 2 --dist worksteal -m "not deep" --ignore=tests/benchmarks --cov --cov-report=term:skip-covered --cov-fail-under=98

test-deep: $(VENV)/.dev ## the slow variants of the fault and property tests (about 10 minutes on two idle cores)
	$(BIN)/pytest --hypothesis-profile exploring -n 2 --dist worksteal -m deep --ignore=tests/benchmarks

conformance: $(VENV)/.dev ## the simulated Slack against two emulators that others wrote (needs npm)
	npm install --silent --prefix $(VENV)/conformance emulate@0.11.2
	$(PYTHON) -m venv $(VENV)/conformance
	$(VENV)/conformance/bin/pip install --quiet --disable-pip-version-check backlot==0.1.0
	$(BIN)/pytest tests/adapters/sandbox_slack/test_slack_conformance.py

bench: $(VENV)/.dev ## speed and memory, as ratios against a baseline of the same run
	$(BIN)/python -m tests.benchmarks

renderer: ## Microsoft's renderer of Adaptive Cards, for the tests that draw with it (needs npm and Chromium)
	npm install --prefix tests/renderer --no-save --no-package-lock --ignore-scripts --no-audit --no-fund

pictures: $(VENV)/.dev renderer ## every page and form as Slack and Teams show it, into build/pictures (needs npm and Chromium)
	$(BIN)/python -m tests.renderer.pictures $(PAGES)

manifests: $(VENV)/.run ## the examples in manifest/ anew, after a change of commands, scopes or texts
	$(BIN)/surveybot manifest slack --host HOST > manifest/slack.json
	$(BIN)/surveybot manifest teams --host bot.example.org --app-id 00000000-0000-0000-0000-000000000000 --out $(VENV)/teams.zip
	$(BIN)/python -m zipfile -e $(VENV)/teams.zip manifest/teams

playground: $(VENV)/.dev ## Microsoft's client for bots without a tenant, against the whole bot (needs npm)
	npm install --prefix tests/playground --no-save --no-package-lock --ignore-scripts --no-audit --no-fund
	$(BIN)/pytest tests/playground

lock: $(VENV)/.dev ## regenerate the hashed requirement files (needs `uv` on the PATH)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra demo --group build pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra demo --group build --group dev pyproject.toml -o requirements-dev.txt

.PHONY: help demo check test test-deep conformance bench lock renderer pictures playground manifests
