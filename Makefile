# Vitrina: `make help` lists the commands.
PYTHON ?= python3
PORT   ?= 8000
VENV   := .venv/bin
STACK  := $(VENV)/python -m devstack

.DEFAULT_GOAL := help
# What `make bench` may be told: how much, in which form, over what, how often, which parts, where, and to keep it there.
BENCH := $(foreach option,SIZE FORM OVER REPEAT ONLY FOLDER,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) $($(option)))) $(if $(KEEP),--keep)

.PHONY: help demo test test-long test-airflow test-emr lint bench bench-serving quality walkthrough audit lint-aws package deploy-images setup services env sample job web stop status schema lock

help:  ## list the commands
	@sed -n -e 's/[$$][$$]/$$/g' -e 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

demo: setup  ## everything from a bare checkout, at http://127.0.0.1:8000 until Ctrl-C  [PORT=8000]
	@$(STACK) demo --port $(PORT)

test: setup lint  ## every check and test but the long ones
	@$(STACK) chromium > /dev/null  # says what to install where it cannot do so itself
	@$(VENV)/python -m pytest -m 'not long'

test-long: setup  ## the tests that take minutes
	@$(VENV)/python -m pytest -m long --ignore tests/airflow

test-airflow: setup .venv-airflow/ready  ## the DAG, by a real Airflow 3 in an environment of its own
	@$(VENV)/python -m pytest tests/airflow

test-emr: setup .venv-emr/spark-conf  ## the job's tests on the Spark and S3A that EMR has, in an environment of their own
	@$(OF_EMR) -m pytest -m 'not long' $(TESTS_OF_THE_JOB)

lint: setup  ## ruff, mypy, hadolint
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/hadolint Dockerfile.* conf/emr/Dockerfile
	@DEBUG=true DATABASE_URL=postgres://nobody@localhost/nothing $(VENV)/mypy  # its Django plugin loads the settings; nothing is connected to

bench: .venv-bench/ready  ## the job beside pandas, Polars, DuckDB and plain Spark  [SIZE=4M ...]
	@$(VENV)/python -m tests.benchmarks.batch $(BENCH)

bench-serving: .venv-bench/ready  ## the web app under load, beside the API it replaces
	@$(VENV)/python -m tests.benchmarks.serving --write docs/benchmarks-serving.md

quality: .venv-bench/ready  ## how good the lists are, where the truth is known: docs/quality.md
	@$(VENV)/python -m tests.benchmarks.quality $(if $(SEEDS),--seeds $(SEEDS))

OF_EMR := VITRINA_VENV=.venv-emr .venv-emr/bin/python
TESTS_OF_THE_JOB := tests/spark tests/contract/test_night.py tests/contract/test_spark_submit.py

.venv-emr/ready: conf/spark-packages-emr.conf conf/spark-packages-emr.sha256
.venv-emr/spark-conf: .venv-emr/ready
	@$(OF_EMR) -m devstack.bootstrap jars
	@touch $@

.venv-%/ready: requirements-%.txt | setup
	@$(VENV)/uv venv --quiet --clear --python $(VENV)/python .venv-$*
	@$(VENV)/uv pip sync --quiet --python .venv-$* --require-hashes $<
	@touch $@

walkthrough: services sample  ## run docs/walkthrough.ipynb over the sample events anew, and keep its outputs
	@PYTHONPATH="$(CURDIR)" $(STACK) run --as vitrina_batch jupyter-execute --KernelManager.transport=ipc --inplace docs/walkthrough.ipynb \
	  2> .devstack/walkthrough.log || { cat .devstack/walkthrough.log; exit 1; }  # a kernel's end is noisy, whichever it is

audit: setup  ## ask PyPI for known vulnerabilities of what is installed in production
	@for half in web spark; do $(VENV)/uvx pip-audit@2.10.1 --disable-pip --require-hashes -r requirements-$$half.txt || exit 1; done

lint-aws: setup  ## cfn-lint and checkov over conf/aws
	@$(VENV)/uvx cfn-lint@1.58.0 conf/aws/stack.yaml
	@$(VENV)/uvx checkov@3.3.30 --config-file conf/aws/checkov.yaml --framework cloudformation --file conf/aws/stack.yaml --skip-download --compact --quiet

package: setup  ## what a cluster needs of the job, into dist/
	@$(STACK) package

deploy-images: package  ## build both images and push them to ECR  [STACK_NAME=vitrina]
	@STACK_NAME=$(STACK_NAME) conf/aws/deploy-images

setup:  ## the virtual environment, Python packages and jars
	@$(PYTHON) -m devstack.bootstrap

services: setup  ## PostgreSQL and S3 in the background
	@$(STACK) start && $(STACK) status

env: setup  ## print the exports for a shell: eval "$$(make -s env)"
	@$(STACK) env

sample: setup  ## eight days of sample events into S3
	@$(STACK) run --as vitrina_batch spark-submit spark_jobs/sample_data.py --days 8

job: setup  ## one night  [DAY=YYYY-MM-DD]
	@$(STACK) run --as vitrina_batch spark-submit spark_jobs/nightly.py $(if $(DAY),--day $(DAY))

web: setup  ## the web server at http://127.0.0.1:8000  [PORT=8000]
	@$(STACK) run python manage.py collectstatic --no-input --verbosity 0
	@PORT=$(PORT) $(STACK) run --as vitrina_web gunicorn --config conf/gunicorn.conf.py webapp.wsgi

status: setup  ## whether the services run, where, and where their logs are
	@$(STACK) status

stop: setup  ## stop the services, and a running demo
	@$(STACK) stop

schema: setup  ## write docs/openapi.yaml anew from the code
	@DEBUG=true DATABASE_URL=postgres://nobody@localhost/nothing $(VENV)/python manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

lock: setup  ## write requirements*.txt anew from pyproject.toml
	@for group in dev:requirements web:requirements-web spark:requirements-spark bench:requirements-bench emr:requirements-emr airflow:requirements-airflow; do \
	  PATH="$(CURDIR)/$(VENV):$$PATH" uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" --group $${group%%:*} --output-file $${group##*:}.txt || exit 1; \
	done
