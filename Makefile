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

.PHONY: help setup demo show transform test coverage mutation lint bench matrix trial machines airflow constraints requirements pages wheels clean

help:
	@echo "make setup      what the taps need, in .venv/ (also done by the others)"
	@echo "make demo       sandbox -> Meltano -> JSONL -> DuckDB -> charts, without an account"
	@echo "make show       opens what the demo made of it: output/demo/report.html"
	@echo "make transform  typed and tested tables of what the demo loaded, with dbt"
	@echo "make test       all tests"
	@echo "make coverage   the tests of taps and kit, and which lines and branches they come by"
	@echo "make mutation   which changes of the kit its tests notice (ONLY=tap_kit.flow.windows*)"
	@echo "make lint       ruff, mypy, deptry"
	@echo "make bench      the benchmarks; results in benchmarks/results/ (ONLY=records ARGS=--quick)"
	@echo "make matrix     every tap into every target, killed at every point, stopped in every way;"
	@echo "                into docs/targets.md (ARGS=--missing: only what is not there yet)"
	@echo "make pages      the pages and plugin settings that are made from the taps"
	@echo "make wheels     kit and taps as packages, in dist/"
	@echo "make trial      shards of a tap on an engine (ENGINE=dask or airflow), into PostgreSQL"
	@echo "make machines   what the engines need besides: Dask, a driver for Meltano's state"
	@echo "make airflow    Airflow, in an environment of its own, for the above and its tests"
	@echo "make clean      remove all that these commands made"

setup: .venv/.setup
demo: .venv/.setup .venv/charts/.ready .meltano/.plugins
	@$(BIN)/python -m demo

show: .venv/.setup
	@$(BIN)/python -m demo.show

transform: transform/.venv/.ready
	@test -d output/demo/tap-kindmetrics || { echo "Nothing was loaded yet: make demo"; exit 1; }
	@DBT_PROJECT_DIR=transform DBT_PROFILES_DIR=transform transform/.venv/bin/dbt --quiet build

# Its tests install plugins: a registry that is away for a minute is no fault of theirs.
test: export UV_HTTP_RETRIES := 8
test: .venv/.dev .venv/charts/.ready transform/.venv/.ready
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
	@$(BIN)/python tools/mutation.py $(if $(ONLY),'$(ONLY)')

lint: .venv/.dev
	@$(UV) lock --check --quiet
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@for package in tap-kit $(TAPS) sandbox; do \
		(cd $$package && $(BIN)/deptry . --no-ansi) || exit 1; \
	done

bench: .venv/.dev .meltano/.plugins
	@UV="$(UV)" $(BIN)/python -m benchmarks $(ONLY) $(ARGS)

machines: .venv/.machines

ENGINE := dask
trial: .venv/.machines .meltano/.plugins
	@$(BIN)/python -m orchestration.trial $(ENGINE)

# Many packages, so not for `make test`: its test of Airflow runs where this has been run.
airflow: orchestration/.envs/airflow/.made
orchestration/.envs/airflow/.made: orchestration/airflow.txt | .tools-ready
	@$(UV) venv --quiet --clear orchestration/.envs/airflow
	@$(UV) pip install --quiet --python orchestration/.envs/airflow -r $<
	@touch $@

matrix: .venv/.dev
	@$(BIN)/python -m tests.prepare
	@$(BIN)/python -m tests.warehouses all $(ONLY) $(ARGS)

# What Meltano's own environments for the taps are pinned to; Meltano does not read uv.lock.
constraints: .tools-ready
	@$(UV) export --quiet --frozen --no-hashes --no-header --no-annotate --no-emit-workspace \
		$(TAPS:%=--package %) -o constraints.txt

# The versions of the environments that uv.lock does not know.
requirements: .tools-ready
	@for folder in demo transform; do \
		$(UV) pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate \
			--upgrade $$folder/requirements.in -o $$folder/requirements.txt || exit 1; \
	done

pages: .venv/.dev
	@$(BIN)/python -m tools.pages

wheels: .tools-ready
	@for package in tap-kit $(TAPS); do $(UV) build --quiet $$package --out-dir dist || exit 1; done
	@ls dist

.venv/.setup: $(SOURCES) | .tools-ready
	@echo "Setting up .venv/ (the first time, from PyPI: a minute or so)"
	@$(UV) sync --quiet --frozen --inexact --group run
	@touch $@

.venv/.machines: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group run --group machines
	@touch $@ .venv/.setup

.venv/.dev: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --group dev
	@touch $@ .venv/.setup .venv/.machines

# Environments of their own: numpy, which matplotlib brings, would slow down every start of a tap,
# and what dbt needs does not go together with what Meltano needs.
.venv/charts/.ready: demo/requirements.txt | .venv/.setup
transform/.venv/.ready: transform/requirements.txt | .tools-ready
.venv/charts/.ready transform/.venv/.ready:
	@rm -rf $(@D)
	@$(UV) venv --quiet $(@D)
	@$(UV) pip install --quiet --python $(@D) -r $<
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
	rm -rf .venv .tools .meltano output dist benchmarks/.envs \
		transform/.venv transform/target transform/logs .mutation .coverage \
		orchestration/.envs orchestration/.airflow
