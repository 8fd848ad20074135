PYTHON := .venv/bin/python
PORT ?= 8000
# For trying out and for development. In production: DEBUG=0, and see the settings in README.md.
export DEBUG ?= 1
export PORT

.DEFAULT_GOAL := help
.PHONY: help setup run test lint check test-code test-browser benchmark requirements-benchmark requirements-dev

help:  ## List what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

setup:  ## Make .venv and the databases, and load the demo
	@tools/venv.sh requirements.txt
	@$(PYTHON) manage.py prepare $(if $(filter 1,$(DEBUG)),--demo)

run: setup  ## Serve on http://127.0.0.1:8000/ (PORT=8001 make run: another port)
	@$(PYTHON) manage.py serve

test: lint check test-code test-browser  ## Run every check

lint: requirements-dev  ## Look at the code without running it
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	$(PYTHON) .venv/bin/lint-imports

check: requirements-dev  ## Have Django look at models, migrations and settings
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) manage.py check --database default --database researcher --database public
	DEBUG=0 ALLOWED_HOSTS=www.example.org SECRET_KEY=$$(head -c 48 /dev/urandom | base64 | tr -d '\n') \
		$(PYTHON) manage.py check --deploy --fail-level WARNING

test-code: requirements-dev  ## Run the tests that need no browser
	$(PYTHON) -m pytest -n auto -m "not browser"

test-browser: requirements-dev  ## Run the tests that need Chromium
	@if $(PYTHON) -m tests.chromium; then \
		echo '$(PYTHON) -m pytest -m browser'; $(PYTHON) -m pytest -m browser; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo 'THE BROWSER TESTS DID NOT RUN: there is no Chromium.'; fi

benchmark: requirements-dev requirements-benchmark  ## Measure against the targets (takes many minutes)
	$(PYTHON) -m tests.benchmarks

# Apart from .venv: it is heavy, and some of it is compiled.
requirements-benchmark: .venv-benchmark/installed

.venv-benchmark/installed: requirements-benchmark.txt
	@echo "Installing $< ..."
	@$(PYTHON) -m venv --clear .venv-benchmark
	@.venv-benchmark/bin/python -m pip install --quiet --disable-pip-version-check --requirement $< || \
		{ echo "$< could not be installed: see above. It needs a C++ compiler and ICU (on Debian: apt-get install g++ libicu-dev pkg-config)."; exit 1; }
	@touch $@

requirements-dev:
	@tools/venv.sh requirements-dev.txt
