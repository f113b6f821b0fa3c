# Vitrina: `make help` lists the commands.
PYTHON ?= python3
PORT   ?= 8000
VENV   := .venv/bin
# Two processes share the tests file by file, each with its own PostgreSQL, S3 and Spark session.
PYTEST := $(VENV)/python -m pytest -n 2 --dist loadfile
STACK  := $(VENV)/python -m devstack
# mypy's Django plugin and `manage.py spectacular` load the settings but never connect to the database.
NO_DATABASE := DEBUG=true DATABASE_URL=postgres://nobody@localhost/nothing
EMR_PYTHON  := VITRINA_VENV=.venv-emr .venv-emr/bin/python
JOB_TESTS   := tests/spark tests/contract/test_night.py tests/contract/test_spark_submit.py
# Options of `make bench`, described by `.venv/bin/python -m tests.benchmarks.batch --help`.
BENCH := $(foreach option,SIZE FORM OVER REPEAT ONLY FOLDER,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) $($(option)))) $(if $(KEEP),--keep)

.DEFAULT_GOAL := help
.PHONY: help demo test setup services status stop env sample job web test-long test-airflow test-emr lint bench bench-serving quality walkthrough schema lock audit package lint-aws

help:  ## list the commands
	@sed -n -e 's/[$$][$$]/$$/g' -e 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-13s  %s\n' "$$name" "$$what"; done

demo: setup  ## run everything from a bare checkout, at http://127.0.0.1:8000 until Ctrl-C  [PORT=8000]
	@$(STACK) demo --port $(PORT)

test: setup lint  ## run all checks and all tests but the long ones
	@$(STACK) chromium > /dev/null  # installs Chromium or says how to
	@$(PYTEST) -m 'not long'

setup:  ## create the virtual environment with all packages and jars
	@$(PYTHON) -m devstack.bootstrap

services: setup  ## start PostgreSQL and S3 in the background
	@$(STACK) start && $(STACK) status

status: setup  ## show whether the services are running, their addresses and logs
	@$(STACK) status

stop: setup  ## stop the services, and the demo if it is running
	@$(STACK) stop

env: setup  ## print exports for a shell: eval "$$(make -s env)"
	@$(STACK) env

sample: setup  ## write eight days of sample events to S3
	@$(STACK) run --as vitrina_batch spark-submit spark_jobs/sample_data.py --days 8

job: setup  ## run the nightly job for yesterday or another day  [DAY=YYYY-MM-DD]
	@$(STACK) run --as vitrina_batch spark-submit spark_jobs/nightly.py $(if $(DAY),--day $(DAY))

web: setup  ## run the web server at http://127.0.0.1:8000  [PORT=8000]
	@$(STACK) run python manage.py collectstatic --no-input --verbosity 0
	@PORT=$(PORT) $(STACK) run --as vitrina_web gunicorn --config conf/gunicorn.conf.py webapp.wsgi

test-long: setup  ## run the tests that take minutes
	@$(PYTEST) -m long --ignore tests/airflow

test-airflow: setup .venv-airflow/ready  ## test the DAGs with a real Airflow 3, in a separate environment
	@$(VENV)/python -m pytest tests/airflow

test-emr: setup .venv-emr/spark-conf  ## test the job with EMR's releases of Spark and S3A, in a separate environment
	@$(EMR_PYTHON) -m pytest -m 'not long' $(JOB_TESTS)

lint: setup  ## run ruff, mypy and hadolint
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/hadolint Dockerfile.* conf/emr/Dockerfile
	@$(NO_DATABASE) $(VENV)/mypy

bench: .venv-bench/ready  ## measure the job beside pandas, Polars, DuckDB and plain Spark  [ONLY=night SIZE=4M ...]
	@$(VENV)/python -m tests.benchmarks.batch $(BENCH)

bench-serving: .venv-bench/ready  ## measure the web app under load, beside the API it replaces
	@$(VENV)/python -m tests.benchmarks.serving --write docs/benchmarks-serving.md

quality: .venv-bench/ready  ## measure the lists against known click rates, for docs/quality.md  [SEEDS=30]
	@$(VENV)/python -m tests.benchmarks.quality $(if $(SEEDS),--seeds $(SEEDS))

walkthrough: services sample  ## run docs/walkthrough.ipynb on the sample events and save its outputs
	@PYTHONPATH="$(CURDIR)" $(STACK) run --as vitrina_batch jupyter-execute --KernelManager.transport=ipc --inplace docs/walkthrough.ipynb \
	  2> .devstack/walkthrough.log || { cat .devstack/walkthrough.log; exit 1; }  # a kernel prints noise when it stops

schema: setup  ## generate docs/openapi.yaml from the code
	@$(NO_DATABASE) $(VENV)/python manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

lock: setup  ## generate requirements*.txt from pyproject.toml
	@for group in dev:requirements web:requirements-web spark:requirements-spark bench:requirements-bench emr:requirements-emr airflow:requirements-airflow; do \
	  PATH="$(CURDIR)/$(VENV):$$PATH" uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" --group $${group%%:*} --output-file $${group##*:}.txt || exit 1; \
	done

audit: setup  ## check the production packages for known vulnerabilities
	@for half in web spark; do $(VENV)/uvx pip-audit@2.10.1 --disable-pip --require-hashes -r requirements-$$half.txt || exit 1; done

package: setup  ## write the files that a cluster needs for the job into dist/
	@$(STACK) package

lint-aws: setup  ## run cfn-lint and checkov on conf/aws
	@$(VENV)/uvx cfn-lint@1.58.0 conf/aws/stack.yaml
	@$(VENV)/uvx checkov@3.3.30 --config-file conf/aws/checkov.yaml --framework cloudformation --file conf/aws/stack.yaml --skip-download --compact --quiet

.venv-emr/ready: conf/spark-packages-emr.conf conf/spark-packages-emr.sha256
.venv-emr/spark-conf: .venv-emr/ready
	@$(EMR_PYTHON) -m devstack.bootstrap jars
	@touch $@

.venv-%/ready: requirements-%.txt | setup
	@if [ -L .venv-$* ]; then echo "setup: .venv-$* is a link; what it leads to would be emptied. Remove it: rm .venv-$*" >&2; exit 1; fi
	@$(VENV)/uv venv --quiet --clear --python $(VENV)/python .venv-$*
	@$(VENV)/uv pip sync --quiet --python .venv-$* --require-hashes $<
	@touch $@
