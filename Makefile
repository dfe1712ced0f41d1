# `make` alone lists what there is. Everything here may be repeated; nothing is needed but Python 3.11 and make.
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$p; break; }; done)
endif
BIN := .venv/bin
RUN := $(BIN)/python -m retention.embedded
export PYTHONUNBUFFERED = 1
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench faults races laws lock openapi clean clean-data

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null || grep '##' Makefile

demo: .venv/demo ## A living shop on http://localhost:8000 (PORT=, HOST=, DATABASE_URL=, REDIS_URL=, EMAIL_URL=, CLOCK_OFFSET=)
	@exec $(BIN)/python manage.py demo $(if $(HOST),--host $(HOST))

# A part is quicker with one worker, as each makes a database.
WORKERS ?= $(if $(ARGS)$(DATABASE_URL)$(REDIS_URL),0,2)
test: .venv/dev ## The whole test suite, on servers of its own (ARGS="-k word" for a part; WORKERS=, REQUIRE_BROWSER=1)
	@exec $(RUN) tests $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: .venv/dev ## Style, types, directions, migrations, documents, settings
	@exec $(RUN) tests $(BIN)/python -m tests.checks

fix: .venv/dev ## Format everything
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format --quiet .; git ls-files 'templates/*.html' 'retention/*.html' | xargs -r $(BIN)/djade --target-version 5.2

bench: .venv/dev ## Every benchmark beside its floor, one by one (ONLY="codes import", BENCH_SCALE=0.1)
	@exec $(RUN) bench $(BIN)/python -m benchmarks $(ONLY)

faults: .venv/dev ## Kill workers, restart servers, flush the broker: slow (FAULT_SEED=, FAULT_CUSTOMERS=, FAULT_KILLS=, ARGS="-k word")
	@exec $(RUN) tests $(BIN)/python -m pytest -m faults $(ARGS)

races: .venv/dev ## Two hundred shoppers at once, twenty rounds of every race of the checkout: slow
	@exec $(RUN) tests $(BIN)/python -m pytest -m races $(ARGS)

laws: .venv/dev ## Thirty thousand steps of the state machines of value and of programmes: slow
	@exec $(RUN) tests $(BIN)/python -m pytest -m laws $(ARGS)

openapi: .venv/dev ## Write docs/openapi.json anew
	@exec $(RUN) tests $(BIN)/python manage.py export_openapi

lock: .venv/tools ## Pin what pyproject.toml asks for, with hashes and no place names
	@export UV_PYTHON_DOWNLOADS=never UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	compile() { .venv/tools/bin/uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --python "$(PYTHON)" pyproject.toml "$$@"; }; \
	compile --extra demo -o requirements.txt >/dev/null && \
	compile --all-extras --group dev -c requirements.txt -o requirements-dev.txt >/dev/null

clean: ## Remove the environment and everything made, but not the demo's data
	@rm -rf .venv staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: .venv/demo ## Remove the demo's, the tests' and the benchmarks' data
	@exec $(RUN) clean

# The stamp of an environment holds a copy of what it was made from, so that it is made again only when that changed
# in content (a fresh clone sets all times anew).
.venv/demo .venv/dev: FORCE
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or later is needed; name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@list=requirements.txt; [ "$@" = .venv/dev ] && list=requirements-dev.txt; \
	if ! cmp -s $$list $@ && ! { [ "$@" = .venv/demo ] && cmp -s $$list .venv/dev.base; }; then \
	    echo "Preparing the Python environment from $$list …"; \
	    [ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear .venv || { rm -rf .venv; exit 1; }; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $$list || exit 1; \
	    [ "$@" = .venv/demo ] || cp requirements.txt .venv/dev.base; \
	    cp $$list $@; \
	fi

.venv/tools: FORCE
	@[ -x .venv/tools/bin/uv ] || { $(PYTHON) -m venv .venv/tools && .venv/tools/bin/pip install --quiet \
	    --disable-pip-version-check uv==0.13.9; }

FORCE:
