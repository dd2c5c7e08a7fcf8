# Two commands: `make test` checks everything from a clean clone, `make run` makes a first picture.
# Both set up .venv when pyproject.toml or constraints.txt changed since the last time, and otherwise start at once.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
STAMP := .venv/.installed
PYTEST_WORKERS ?= 2
# Two test processes share two cores: more threads than that each only wait for one another.
export OMP_NUM_THREADS ?= 1
export HF_HUB_DISABLE_TELEMETRY ?= 1

.PHONY: help setup test lint types imports tests run format clean

help:
	@echo "make test    set up what is missing, then ruff, mypy, import-linter and pytest"
	@echo "make run     set up what is missing, then make a first picture in var/demo/"
	@echo "make format  let ruff rewrite imports and layout"
	@echo "make clean   remove .venv and caches"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/setup.sh
	tools/setup.sh .venv
	touch $@

test: lint types imports tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports --no-cache

tests: $(STAMP)
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile $(ARGS)

run: $(STAMP)
	mkdir -p var/demo
	env -u OMP_NUM_THREADS $(BIN)/python -m studio shoot "$$($(BIN)/python tools/sample_photo.py)" --out var/demo/first.png
	@echo "Your first picture: $(CURDIR)/var/demo/first.png (beside it the recipe, first.json, and first-sheet.png)"

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
