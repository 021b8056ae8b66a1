# One word per job. Needs Python 3.11 or later, make, and a package registry; everything else lands in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv
ARGS ?=
WORKERS ?= 2
export SOURCE_DATE_EPOCH ?= 1767225600

# The registry that pip is told to use is the one that uv uses.
ifndef UV_DEFAULT_INDEX
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX := $(PIP_INDEX_URL)
endif
endif

.DEFAULT_GOAL := help
LINTERS := lint-format lint-style lint-types lint-imports lint-matrix lint-catalogue lint-manual docs
.PHONY: help demo serve test test-long lint bench kernels lock i18n matrix matrix-check reference format clean $(LINTERS)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## run a simulated factory, from the first order to the last dossier
	@$(BIN)/cellwright demo $(ARGS)

serve: $(VENV)/.run ## open the site of a simulated factory in a browser
	@$(BIN)/cellwright serve $(or $(ARGS),--demo)

test: $(VENV)/.dev ## every test at its daily size
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q $(ARGS)

test-long: $(VENV)/.dev ## every test at its full size
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q -m "long or not long" $(ARGS)

lint: $(VENV)/.dev ## style, types, import contracts, requirement matrix, catalogues, manual; all of them, then the verdict
	@$(MAKE) --no-print-directory --keep-going $(LINTERS)

lint-format: ; @$(BIN)/ruff format --check --quiet . && echo "format      ok"
lint-style: ; @$(BIN)/ruff check --quiet . && echo "style       ok"
lint-types: ; @$(BIN)/mypy --no-error-summary && echo "types       ok"
lint-imports: ; @$(BIN)/lint-imports >$(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }; echo "imports     ok"
lint-matrix: ; @$(BIN)/python -m tools.matrix --check --strict
lint-catalogue: ; @$(BIN)/python -m tools.catalogue --check
lint-manual: ; @$(BIN)/python -m tools.manual --check

format: $(VENV)/.dev ## write the house style into the files
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

bench: $(VENV)/.dev ## every benchmark at its daily size, into the documentation with ARGS=--write
	@$(BIN)/python -m benchmarks all $(ARGS)

docs: $(VENV)/.dev ## build the manual in English and Chinese into docs/_build
	@$(BIN)/python -m tools.manual --build

matrix-check: $(VENV)/.dev lint-matrix ## compare the matrix with the tests; what is due and has no test fails

matrix: $(VENV)/.dev ## write the requirement matrix anew
	@$(BIN)/python -m tools.matrix

reference: matrix ## write every page that is made from the source
	@$(BIN)/python -m tools.events
	@$(BIN)/python -m tools.machines
	@$(BIN)/python -m tools.golden

i18n: $(VENV)/.dev ## extract messages into the catalogues, keeping translations, and compile them
	@$(BIN)/python -m tools.catalogue

kernels: $(VENV)/.run ## compile the numerical kernels ahead of their first use
	@$(BIN)/python -m tools.kernels

lock: $(VENV)/.uv ## resolve the dependencies anew into the two lock files
	@$(BIN)/python -m tools.lock

clean: ## remove what was built; keep the environment
	@rm -rf docs/_build build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv comes from the registry too, with the hash that the lock states.
$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-run.lock >$(VENV)/uv.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@touch $@

$(VENV)/.run: requirements-run.lock pyproject.toml | $(VENV)/.uv
	@echo "Installing what the factory runs on ..."
	@$(UV) pip install --quiet --require-hashes -r requirements-run.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements.lock pyproject.toml | $(VENV)/.uv
	@echo "Installing what tests, linters and documentation need ..."
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m tools.samples
	@touch $@ $(VENV)/.run
