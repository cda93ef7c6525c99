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
# The fonts that matplotlib finds: their list would else be in the home folder.
export MPLCONFIGDIR := $(CURDIR)/.venv/matplotlib

.PHONY: help setup demo show transform test lint bench constraints requirements clean

help:
	@echo "make setup      what the taps need, in .venv/ (also done by the others)"
	@echo "make demo       sandbox -> Meltano -> JSONL -> DuckDB -> charts, without an account"
	@echo "make show       opens what the demo made of it: output/demo/report.html"
	@echo "make transform  typed and tested tables of what the demo loaded, with dbt"
	@echo "make test       all tests"
	@echo "make lint       ruff, mypy, deptry"
	@echo "make bench      the benchmarks; results in benchmarks/results/"
	@echo "make clean      remove all that these commands made"

setup: .venv/.setup
demo: .venv/.demo .meltano/.plugins
	@$(BIN)/python -m demo

show: .venv/.demo
	@$(BIN)/python -m demo.show

transform: transform/.venv/.ready
	@test -d output/demo/tap-kindmetrics || { echo "Nothing was loaded yet: make demo"; exit 1; }
	@DBT_PROJECT_DIR=transform DBT_PROFILES_DIR=transform transform/.venv/bin/dbt --quiet build

test: .venv/.dev transform/.venv/.ready
	@$(BIN)/python -m tests.prepare
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: .venv/.dev
	@$(UV) lock --check --quiet
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@for package in tap-kit $(TAPS) sandbox; do \
		(cd $$package && $(BIN)/deptry . --no-ansi) || exit 1; \
	done

bench: .venv/.dev
	@$(BIN)/python -m benchmarks

# What Meltano's own environments for the taps are pinned to; Meltano does not read uv.lock.
constraints: .tools-ready
	@$(UV) export --quiet --frozen --no-hashes --no-header --no-annotate --no-emit-workspace \
		$(TAPS:%=--package %) -o constraints.txt

# The versions of dbt's environment, which is not uv.lock's.
requirements: .tools-ready
	@$(UV) pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate \
		--upgrade transform/requirements.in -o transform/requirements.txt

.venv/.setup: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group run
	@touch $@

.venv/.demo: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group demo
	@touch $@ .venv/.setup

.venv/.dev: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group dev
	@touch $@ .venv/.setup .venv/.demo

# dbt has an environment of its own: what it needs does not go together with what the taps need.
transform/.venv/.ready: transform/requirements.txt | .tools-ready
	@$(UV) venv --quiet --clear transform/.venv
	@$(UV) pip install --quiet --python transform/.venv -r transform/requirements.txt
	@touch $@

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
	rm -rf .venv .tools .meltano output dist transform/.venv transform/target transform/logs
