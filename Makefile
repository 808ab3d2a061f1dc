# `make` lists the targets. `make quickstart` and `make test` install what is missing by themselves.
.DEFAULT_GOAL := help

# The interpreter that .venv is made with: 3.11 or newer, as the pins of requirements/constraints.txt want it.
PYTHON ?= python3
# Processes of the test suite, and anything more for pytest: make test PYTEST_ARGS='-k mutual --golden-root DIR'
WORKERS ?= 2
PYTEST_ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
CONSTRAINTS := requirements/constraints.txt
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check --prefer-binary --constraint $(CONSTRAINTS)
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadfile

.PHONY: help install quickstart test test-fast lint docs browser clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## create .venv with the pinned requirements and the package; nothing to do when nothing changed

$(STAMP): requirements.txt $(wildcard requirements/*.txt) setup.py pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make install needs Python 3.11 or newer; '$(PYTHON)' is not. Name one: make install PYTHON=python3.11" >&2; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	    echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu it needs the package python3-venv" >&2; exit 1; }
	$(PIP_INSTALL) --upgrade pip setuptools wheel
	$(PIP_INSTALL) --requirement requirements.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

quickstart: $(STAMP) ## train two networks that teach each other on generated video, and show what they gained
	$(PY) tools/quickstart.py --work-dir work_dirs/quickstart

test: $(STAMP) ## run all tests
	$(PYTEST) $(PYTEST_ARGS)

test-fast: $(STAMP) ## run the tests that take less than about ten seconds each
	$(PYTEST) -m 'not slow' $(PYTEST_ARGS)

lint: $(STAMP) ## ruff: rules and format
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

docs: $(STAMP) ## build docs/en into docs/en/_build/html; a warning is an error
	rm -rf docs/en/api/generated
	$(PY) -m sphinx -W --keep-going -b html docs/en docs/en/_build/html

browser: ## install Debian's chromium for the page tests, which skip without it
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then \
	    echo 'chromium and chromedriver are there already'; \
	elif ! command -v apt-get >/dev/null; then \
	    echo 'make browser knows only apt-get: install chromium and its chromedriver by hand' >&2; exit 1; \
	elif [ "$$(id -u)" != 0 ]; then \
	    echo 'make browser must be root: sudo apt-get install chromium chromium-driver' >&2; exit 1; \
	else \
	    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium chromium-driver; \
	fi

clean: ## remove what builds and tests leave behind; .venv, data and work_dirs stay
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache docs/en/_build docs/en/api/generated
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
