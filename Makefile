# Everything a person does with this repository, one word each. `make` alone lists the words.
.DEFAULT_GOAL := help
.SUFFIXES:
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# What depends on the database runs a second time, on PostgreSQL.
DATABASE_TESTS := $(wildcard tests/models tests/evidence tests/signing_in tests/sync tests/operations tests/alerts tests/views tests/api) \
	$(addprefix tests/faults/test_,people.py storms.py)
# File by file on two processors; the tests of one file share what takes long to start.
AT_ONCE := --numprocesses=2 --dist=loadfile

.PHONY: help run test lint format bench screenshots messages lock audit clean

help: ## List what `make` can do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 \2/p' Makefile | awk '{ w = $$2; $$1 = $$2 = ""; printf "make %-12s%s\n", w, $$0 }'

run: $(VENV)/.run ## Start the dashboard with all it needs; Ctrl-C stops it
	@exec $(RUN) manage.py up --stop-with-parent

test: $(VENV)/.test lint ## Run all tests, after installing what they need
	@scripts/install-test-tools
ifneq ($(DATABASE_TESTS),)
	$(RUN) -m tests.servers.postgres -- $(RUN) -m pytest -q $(AT_ONCE) $(DATABASE_TESTS)
endif
	$(RUN) -m pytest -q $(AT_ONCE)

lint: $(VENV)/.test ## Check style, types, templates, and who imports whom
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports
	find templates -name "*.html" -exec $(VENV)/bin/djade --check {} +

format: $(VENV)/.test ## Put code and templates into their one format
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	find templates -name '*.html' -exec $(VENV)/bin/djade {} +

bench: $(VENV)/.test ## Measure storing and reading beside their floors
	$(RUN) -m benchmarks

screenshots: $(VENV)/.test ## Take the README's pictures from the running application
	$(RUN) -m tests.screenshots

messages: $(VENV)/.test ## Write locale/LANGUAGE for a translator: make messages LANGUAGE=de; needs gettext
	mkdir -p locale
	$(RUN) manage.py makemessages --locale $(LANGUAGE) --no-location --ignore '.*' --ignore 'tests/*'
	$(RUN) manage.py compilemessages --locale $(LANGUAGE)

lock: $(VENV)/.lock ## Lock the packages anew; UPGRADE=--upgrade takes newer ones
	$(VENV)/.lock/bin/uv pip compile pyproject.toml -o requirements.txt --quiet $(LOCK) $(UPGRADE)
	$(VENV)/.lock/bin/uv pip compile pyproject.toml -o requirements-telemetry.txt --extra telemetry --quiet $(LOCK) $(UPGRADE)
	$(VENV)/.lock/bin/uv pip compile pyproject.toml -o requirements-dev.txt --extra dev --extra telemetry --quiet $(LOCK) $(UPGRADE)

audit: $(VENV)/.audit ## Hold the locked packages against the known vulnerabilities, where they are reached
	$(VENV)/.audit/bin/python scripts/audit requirements.txt

clean: ## Remove what was installed and built; .data, with the database, stays
	rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Hashes, but no addresses: whoever installs chooses where the packages come from.
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
UPGRADE ?=

$(VENV)/.run: requirements.txt scripts/install-packages
	@PYTHON=$(PYTHON) scripts/install-packages $(VENV) requirements.txt $@

$(VENV)/.test: requirements-dev.txt scripts/install-packages
	@PYTHON=$(PYTHON) scripts/install-packages $(VENV) requirements-dev.txt $@

$(VENV)/.lock: | $(VENV)/.test
	$(RUN) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8

$(VENV)/.audit: | $(VENV)/.test
	$(RUN) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
