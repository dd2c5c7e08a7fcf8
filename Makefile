# Two commands: `make test` checks everything from a clean clone, `make run` starts the product.
# Both set up .venv when pyproject.toml or constraints.txt changed since the last time, and otherwise start at once.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
STAMP := .venv/.installed
# Three on two cores: much of their time they wait for processes that they started. Each takes up to 3 GB.
PYTEST_WORKERS ?= 3
# Test processes share the cores: more threads than one each only wait for one another.
export OMP_NUM_THREADS ?= 1
export HF_HUB_DISABLE_TELEMETRY ?= 1

BROWSER ?= yes
# no: without the islands, where the npm registry is out of reach; every page works without them.
FRONTEND ?= yes
# The rooms that Django serves: they run a second time on PostgreSQL where it answers. The studio knows no database.
WEB_ROOMS := $(filter-out tests/studio/ tests/boundaries/ tests/browser/,$(wildcard tests/*/))

.PHONY: help setup test lint types imports words frontend islands chromium api-types clients tests tests-postgres tests-browser run first-picture format clean

help:
	@echo "make run     set up what is missing, then web and worker at http://localhost:8000; Ctrl-C stops both"
	@echo "make test    set up what is missing, then ruff, mypy, import-linter, translations, tsc, vitest and every test"
	@echo "make tests ARGS=tests/catalog     some tests only"
	@echo "make first-picture                one picture from the command line, in var/first/"
	@echo "make frontend                     the islands and the service worker, in static/dist/"
	@echo "make format  let ruff rewrite imports and layout"
	@echo "make clean   remove .venv and caches; var/, with all pictures, stays"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/setup.sh
	tools/setup.sh .venv
	touch $@

test: lint types imports words islands chromium tests tests-postgres tests-browser

# Before any test: not only tests/browser looks at pages in it.
chromium: $(STAMP)
	if [[ "$(BROWSER)" != no ]]; then $(BIN)/python tools/system_libraries.py --browser; fi

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports --no-cache

words: $(STAMP)
	$(BIN)/python tools/messages.py check

# Built files in static/dist; Node comes from PyPI. When no source changed this takes a tenth of a second.
frontend: $(STAMP)
	if [[ "$(FRONTEND)" == no ]]; then echo "The front end is left out."; else $(BIN)/python tools/frontend.py build; fi

islands: frontend
	if [[ "$(FRONTEND)" != no ]]; then $(BIN)/python tools/frontend.py check; fi

# After a change of the API: rewrites frontend/src/shared/schema.d.ts, which is committed.
api-types: $(STAMP)
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django spectacular --format openapi-json \
	  | $(BIN)/python tools/frontend.py schema

# The generated halves of kit/, which are not committed.
clients: api-types
	$(BIN)/python -m tools.clients

# A service that answers must be used: a test that skips for want of it fails the run (tests/conftest.py).
tests: frontend
	services="$$($(BIN)/python tools/services.py --explain)"; \
	IMODEL_REQUIRE_SERVICES="$${services/postgresql/}" IMODEL_TEST_EACH_ONCE=1 \
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile --ignore=tests/browser $(ARGS)

tests-postgres: frontend
	services="$$($(BIN)/python tools/services.py)"; \
	if [[ "$$services" == *postgresql* ]]; then \
	  IMODEL_TEST_DATABASE=postgres IMODEL_REQUIRE_SERVICES="$$services" IMODEL_TEST_EACH_ONCE=1 \
	  $(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile $(WEB_ROOMS) $(ARGS); \
	else echo "PostgreSQL does not answer: the second run is left out."; fi

# One process: server, worker and browser take the two cores already.
tests-browser: frontend chromium
	if [[ "$(BROWSER)" == no ]]; then echo "Browser tests are left out."; else $(BIN)/pytest tests/browser $(ARGS); fi

run: frontend
	@exec env -u OMP_NUM_THREADS $(BIN)/python manage.py up $(ARGS)

first-picture: $(STAMP)
	mkdir -p var/first
	env -u OMP_NUM_THREADS $(BIN)/python -m studio shoot "$$($(BIN)/python tools/sample_photo.py)" --out var/first/first.png
	@echo "Your first picture: $(CURDIR)/var/first/first.png (beside it the recipe, first.json, and first-sheet.png)"

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv frontend/node_modules static/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
