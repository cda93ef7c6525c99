# Each command installs what it needs: uv, the virtual environment, Meltano's plugins.
# They need Python 3.10 or newer, git and make. PyPI is the only host contacted.

PYTHON     ?= python3
SYSTEM_UV  := $(shell command -v uv 2>/dev/null)
UV         := $(if $(SYSTEM_UV),$(SYSTEM_UV),$(CURDIR)/.tools/bin/uv)
BIN        := $(CURDIR)/.venv/bin
# A tap is a folder tap-NAME with a pyproject.toml; it is registered nowhere else.
TAPS       := $(filter-out tap-kit,$(patsubst %/pyproject.toml,%,$(sort $(wildcard tap-*/pyproject.toml))))
MODULES    := $(subst -,_,$(TAPS))
SOURCES    := uv.lock pyproject.toml $(wildcard */pyproject.toml examples/*/pyproject.toml) $(shell find tap-kit -name '*.py')

SPACE      := $(subst ,, )
# Of the tests: two for each processor, since some tests wait for a server or a timeout.
WORKERS    := $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Without the cache of compiled code, which some images switch off, each command takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo show transform check test coverage mutation lint bench attacks fuzz matrix trial machines airflow constraints requirements pages wheels site clean

help:
	@echo "make setup      install what the taps need into .venv/ (the other commands do this too)"
	@echo "make demo       sandbox -> Meltano -> JSONL -> DuckDB -> charts, without an account"
	@echo "make show       open the report of the demo: output/demo/report.html"
	@echo "make transform  build typed and tested tables from the demo's files, with dbt"
	@echo "make check      run ruff, mypy, deptry and all tests in process"
	@echo "                (ONLY=kindmetrics: the tests of one folder)"
	@echo "make test       run all tests (ONLY=in_process, faults, meltano or warehouses)"
	@echo "make coverage   run the tests of taps and kit; show the lines and branches they miss"
	@echo "make mutation   change the kit's code; show which changes no test notices"
	@echo "                (ONLY=tap_kit.flow.windows*)"
	@echo "make lint       run ruff, mypy and deptry"
	@echo "make bench      run the benchmarks; results in benchmarks/results/"
	@echo "                (ONLY=records ARGS=--quick)"
	@echo "make matrix     run every tap into every target, kill and stop runs at several points,"
	@echo "                and write docs/targets.md (ARGS=--missing: only the missing results)"
	@echo "make attacks    attack the taps with broken and hostile servers; write docs/security.md"
	@echo "                (ONLY='size time')"
	@echo "make fuzz       search for inputs that break the boundary (SECONDS=60)"
	@echo "make pages      write the pages and plugin settings that are generated from the taps"
	@echo "make site       build docs/ as a site, with the API of the kit, in output/site/"
	@echo "make wheels     build packages of kit and taps in dist/ (TAG=v0.1.0: check the versions first)"
	@echo "make trial      run a tap in shards on an engine (ENGINE=dask or airflow), into PostgreSQL"
	@echo "make machines   install the packages for shards: Dask, a driver for Meltano's state"
	@echo "make airflow    install Airflow into its own environment, for make trial and its tests"
	@echo "make requirements  update the versions of what uv.lock does not contain: charts, dbt, Airflow, uv"
	@echo "make clean      remove everything that these commands created"

setup: .venv/.setup
demo: .venv/.setup .venv/charts/vega.js .meltano/.plugins
	@$(BIN)/python -m demo

show: .venv/.setup
	@$(BIN)/python -m demo.show

# The models of taps that the demo did not load are left out.
transform: NOT_LOADED = $(filter-out $(subst -,_,$(notdir $(wildcard output/demo/tap-*))),$(MODULES))
transform: transform/.venv/.ready
	@test -n "$(wildcard output/demo/tap-*)" || { echo "There is no data yet: run make demo"; exit 1; }
	@DBT_PROJECT_DIR=transform DBT_PROFILES_DIR=transform transform/.venv/bin/dbt --quiet build \
		$(addprefix --exclude ,$(NOT_LOADED:tap_%=%))

# Tests of one folder under tests/ with ONLY. Tests that start processes are left to `make test`.
# Lint runs beside the tests: its output appears in one piece if it fails, and fails the command.
LINTED := .venv/.linted

check: .venv/.dev
	@{ $(MAKE) --no-print-directory lint >$(LINTED) 2>&1 || { echo; cat $(LINTED); exit 1; }; } & \
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m 'in_process and not process' \
		$(ONLY:%=tests/%); tests=$$?; \
	wait $$! || { echo "make lint failed: its output is above"; exit 1; }; exit $$tests

# The tests install plugins. With retries they do not fail if PyPI is down for a minute.
test: export UV_HTTP_RETRIES := 8
test: .venv/.dev .venv/charts/vega.js transform/.venv/.ready
	@$(BIN)/python -m tests.prepare
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(if $(ONLY),-m '$(ONLY)')

# The tests of the measured packages. The command fails below 100 % of lines and branches.
MEASURED   := $(addprefix tests/,kit $(MODULES:tap_%=%))

coverage: .venv/.dev
	@$(BIN)/coverage erase
	@$(BIN)/coverage run --source=tap_kit$(subst $(SPACE),,$(MODULES:%=,%)) -m pytest -n $(WORKERS) --dist loadgroup $(MEASURED)
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

# Airflow has many packages, so `make test` does not install it. Its Airflow test runs only after this command.
airflow: orchestration/.envs/airflow/.made
orchestration/.envs/airflow/.made: orchestration/airflow.txt | .tools-ready
	@$(UV) venv --quiet --clear orchestration/.envs/airflow
	@$(UV) pip install --quiet --python orchestration/.envs/airflow --require-hashes -r $<
	@touch $@

attacks: .venv/.dev
	@$(BIN)/python -m tests.attacks $(ONLY) $(ARGS)

SECONDS := 60
fuzz: .venv/.dev
	@$(BIN)/python -m tests.fuzz $(SECONDS) $(ONLY)

matrix: .venv/.dev
	@$(BIN)/python -m tests.prepare --matrix
	@$(BIN)/python -m tests.warehouses all $(ONLY) $(ARGS)

# The versions that Meltano installs for the taps, since Meltano does not read uv.lock. uv, which
# Meltano installs with, also checks the hashes of constraints; pip would refuse them beside `-e`.
constraints: .tools-ready
	@$(UV) export --quiet --frozen --no-header --no-annotate --no-emit-workspace \
		$(TAPS:%=--package %) -o constraints.txt

# The versions and hashes of the environments that are not in uv.lock, and of uv itself.
REQUIREMENTS := demo/requirements transform/requirements orchestration/airflow tools/uv

requirements: .tools-ready
	@for file in $(REQUIREMENTS); do \
		$(UV) pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate \
			--generate-hashes --upgrade $$file.in -o $$file.txt || exit 1; \
	done

# A new tap must be in uv.lock before anything can be installed.
pages: .tools-ready
	@$(UV) lock --quiet
	@$(MAKE) --no-print-directory .venv/.dev constraints
	@$(BIN)/python -m tools.pages

site: .venv/.dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "The site: output/site/index.html"

# With TAG=v0.1.0 it stops unless the versions and the changelog match the tag.
wheels: $(if $(TAG),.venv/.dev,.tools-ready)
	@$(if $(TAG),$(BIN)/python -m tools.release $(TAG))
	@rm -rf dist
	@for package in tap-kit $(TAPS); do $(UV) build --quiet $$package --out-dir dist || exit 1; done
	@ls dist

.venv/.setup: $(SOURCES) | .tools-ready
	@echo "Installing into .venv/ from PyPI (the first time this takes about a minute)"
	@$(UV) sync --quiet --frozen --inexact --all-packages --group run
	@touch $@

.venv/.machines: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --all-packages --group run --group machines
	@touch $@ .venv/.setup

.venv/.dev: $(SOURCES) | .tools-ready
	@$(UV) sync --quiet --frozen --inexact --all-packages --all-extras --group dev
	@touch $@ .venv/.setup .venv/.machines

# Separate environments: only the page needs the library of the charts, whose package has 100 MB,
# and the dependencies of dbt conflict with those of Meltano.
.venv/charts/.ready: demo/requirements.txt demo/library.py | .venv/.setup
transform/.venv/.ready: transform/requirements.txt | .tools-ready
.venv/charts/.ready transform/.venv/.ready:
	@rm -rf $(@D)
	@$(UV) venv --quiet $(@D)
	@$(UV) pip install --quiet --python $(@D) --require-hashes -r $<
	@touch $@

.venv/charts/vega.js: .venv/charts/.ready
	@$(@D)/bin/python demo/library.py > $@.part
	@mv $@.part $@

# Meltano's environments contain a copy of the kit too. After a change they are deleted, and Meltano
# installs them again.
.meltano/.plugins: $(SOURCES) constraints.txt
	@rm -rf .meltano/extractors
	@mkdir -p .meltano && touch $@

.PHONY: .tools-ready
.tools-ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or newer is needed. Choose one with: make PYTHON=python3.12"; exit 1; }
	@test -x "$(UV)" || $(PYTHON) -m pip install --quiet --disable-pip-version-check \
		--root-user-action ignore --target .tools --require-hashes -r tools/uv.txt

clean:
	rm -rf .venv .tools .meltano output dist benchmarks/.envs \
		transform/.venv transform/target transform/logs .mutation .coverage \
		orchestration/.envs orchestration/.airflow
