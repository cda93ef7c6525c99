# Each command makes what it needs: uv, the virtual environment, Meltano's plugins.
# Nothing but a Python 3.10 or newer, git and make has to be there, and no host but PyPI is asked.

UV_VERSION := 0.13.8
PYTHON     ?= python3
SYSTEM_UV  := $(shell command -v uv 2>/dev/null)
UV         := $(if $(SYSTEM_UV),$(SYSTEM_UV),$(CURDIR)/.tools/bin/uv)
BIN        := $(CURDIR)/.venv/bin
TAPS       := tap-khoros-analytics tap-kindmetrics tap-kissmetrics
SOURCES    := uv.lock pyproject.toml $(wildcard */pyproject.toml) $(shell find tap-kit -name '*.py')

export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

.PHONY: help setup demo test coverage mutation lint bench constraints pages wheels clean

help:
	@echo "make setup   what the taps need, in .venv/ (also done by the others)"
	@echo "make demo    sandbox -> Meltano -> JSONL -> DuckDB, without an account"
	@echo "make test    all tests"
	@echo "make coverage  the tests of taps and kit, and which lines and branches they come by"
	@echo "make mutation  which changes of the kit its tests notice (ONLY=tap_kit.windows*)"
	@echo "make lint    ruff, mypy, deptry"
	@echo "make bench   the benchmarks; results in benchmarks/results/ (ONLY=records ARGS=--quick)"
	@echo "make pages   the pages and plugin settings that are made from the taps"
	@echo "make wheels  kit and taps as packages, in dist/"
	@echo "make clean   remove all that these commands made"

setup: .venv/.setup
demo: .venv/.setup .meltano/.plugins
	@$(BIN)/python -m demo

test: .venv/.dev
	@$(BIN)/python -m tests.prepare
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

# The tests of what is measured; with fewer than all lines and branches it fails.
MEASURED   := $(addprefix tests/,kit khoros_analytics kindmetrics kissmetrics)

coverage: .venv/.dev
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n 2 --dist loadgroup $(MEASURED)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

mutation: .venv/.dev
	@$(BIN)/python tests/mutation.py $(if $(ONLY),'$(ONLY)')

lint: .venv/.dev
	@$(UV) lock --check --quiet
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@for package in tap-kit $(TAPS) sandbox; do \
		(cd $$package && $(BIN)/deptry . --no-ansi) || exit 1; \
	done

bench: .venv/.dev
	@UV="$(UV)" $(BIN)/python -m benchmarks $(ONLY) $(ARGS)

# What Meltano's own environments for the taps are pinned to; Meltano does not read uv.lock.
constraints: .tools-ready
	@$(UV) export --quiet --frozen --no-hashes --no-header --no-annotate --no-emit-workspace \
		$(TAPS:%=--package %) -o constraints.txt

pages: .venv/.dev
	@$(BIN)/python -m tests.repository.generated

wheels: .tools-ready
	@for package in tap-kit $(TAPS); do $(UV) build --quiet $$package --out-dir dist || exit 1; done
	@ls dist

.venv/.setup: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group run
	@touch $@

.venv/.dev: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group dev
	@touch $@ .venv/.setup

# Meltano's environments hold a copy of the kit too; it installs them anew where they are missing.
.meltano/.plugins: $(SOURCES) constraints.txt
	@rm -rf .meltano/extractors
	@mkdir -p .meltano && touch $@

.PHONY: .tools-ready
.tools-ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@test -x "$(UV)" || $(PYTHON) -m pip install --quiet --disable-pip-version-check \
		--root-user-action ignore --target .tools uv==$(UV_VERSION)

clean:
	rm -rf .mutation .coverage .venv .tools .meltano output dist benchmarks/.envs
