# `make help` lists the commands. Everything runs from .venv, which `make install` makes when it has to.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed
# Where the checks keep what importing the settings makes (secrets of no use); the demo's data is in .data.
SCRATCH := $(CURDIR)/build/checks

# Threads that spin while they wait starve the servers and workers beside them, and so do more threads than cores.
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help install demo serve test fuzz lint bench reformat clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv with everything pinned (again only when the pins change)

# torch comes first and under its pin: no other requirement may choose a build of it. pip, since uv does not look where
# pip finds the build for CPUs.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
		echo "Expunge needs Python 3.11 with venv, and '$(PYTHON)' is not that. Install it (Debian:" \
			"apt-get install python3.11-venv) or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install ## One deletion request, from HTTP to the auditor's verdict; under a minute once installed
	EXPUNGE_DEBUG=1 $(BIN)/python manage.py demo

serve: install ## Portal, API, ledger and a worker on this machine
	EXPUNGE_DEBUG=1 $(BIN)/python manage.py serve

test: export OMP_NUM_THREADS ?= 1
test: install ## All tests; those that meet the database run on SQLite and, beside that, on PostgreSQL
	@mkdir -p build; \
	EXPUNGE_TEST_DATABASE=postgresql $(BIN)/python -m pytest -m 'not gpu' -p no:cacheprovider \
		tests/compliance tests/workers tests/journey tests/services/test_database.py \
		--ignore=tests/compliance/evidence > build/postgresql.log 2>&1 & beside=$$!; \
	echo "On SQLite:"; EXPUNGE_TEST_DATABASE=sqlite $(BIN)/python -m pytest -m 'not gpu'; sqlite=$$?; \
	wait $$beside; postgresql=$$?; echo "On PostgreSQL:"; cat build/postgresql.log; \
	exit $$((sqlite || postgresql))

fuzz: export OMP_NUM_THREADS ?= 1
fuzz: install ## Many more made-up calls of the API than `make test` sends: API_EXAMPLES each, by API_SEED
	API_EXAMPLES=$${API_EXAMPLES:-200} API_SEED=$${API_SEED:-$$(date +%s)} $(BIN)/python -m pytest -m slow \
		tests/compliance/api/test_generated_calls.py

lint: export EXPUNGE_DEBUG := 1
lint: export EXPUNGE_DATA_DIR := $(SCRATCH)
lint: install ## Style, types, direction of imports, settings, missing migrations
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy compliance workers ml_core tests
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: install ## Run the measurements in tests/benchmarks
	@modules=$$(find tests/benchmarks -maxdepth 1 -name '[a-z]*.py' 2>/dev/null | sort | sed 's|\.py$$||; s|/|.|g'); \
	if [ -z "$$modules" ]; then echo "There are no measurements in tests/benchmarks yet."; fi; \
	for module in $$modules; do echo "== $$module"; $(BIN)/python -m $$module || exit 1; done

reformat: install ## Sort imports, fix what can be fixed, format
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

clean: ## Remove caches and build outputs; .venv and .data stay
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
