# Everything a developer does, in one place. A fresh machine needs git, make and Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help run test check format bench pictures words requirements deploy destroy reconcile import-figures redrive rotate-secret replay load chat-load clean

PYTHON := .venv/bin/python
STAMP := .venv/installed
COMPILE := $(PYTHON) -m piptools compile --quiet --strip-extras --no-header --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options

help: ## Show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(STAMP) ## Run the whole service on this machine (PORT=8000, DATABASE=dynamodb-local, DATABASE_DIR=.cache/table, CLOCK=2019-03-01T00:00:00Z)
	@exec $(PYTHON) -m infra.local

test: $(STAMP) ## Run all tests; what cannot run here is named at the end
	@exec $(PYTHON) -m pytest

check: $(STAMP) ## Check format, lint, types and templates
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy --strict chalicelib app.py
	.venv/bin/cfn-lint infra/*.yaml

format: $(STAMP) ## Format the code and mend what lint can mend
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: $(STAMP) ## Measure what we promise about speed, beside what people would use instead; CHECK=1 fails if it is worse than accepted, ACCEPT=1 accepts it (needs valgrind, Java, npm)
	@exec $(PYTHON) -m bench $(if $(filter-out 0 no false,$(CHECK)),--check) $(if $(filter-out 0 no false,$(ACCEPT)),--accept)

pictures: $(STAMP) ## Photograph the main pages for the README while "make run" runs (URL=http://127.0.0.1:8000; needs Chromium)
	@exec $(PYTHON) -m infra.pictures $(or $(URL),http://127.0.0.1:8000)

words: $(STAMP) ## Write or renew the file of another language (LANGUAGE=cy)
	@exec $(PYTHON) -m infra.words $(or $(LANGUAGE),$(error Say which: make words LANGUAGE=cy))

requirements: $(STAMP) ## Pin anew what requirements*.in ask for (UPGRADE=1 takes the newest)
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements.in
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements-dev.in
	for peer in bench/peers/*/; do $(COMPILE) --upgrade --no-annotate -c requirements-dev.txt $${peer}requirements.in || exit 1; done

deploy: $(STAMP) ## Deploy to AWS (STAGE=dev; DRY_RUN=1 only says what it would do)
	@exec $(PYTHON) -m infra.deploy $(STAGE) $(if $(filter-out 0 no false,$(DRY_RUN)),--dry-run)

destroy: $(STAMP) ## Take a stage offline (STAGE=dev); it asks first, and reports stay
	@exec $(PYTHON) -m infra.destroy $(STAGE)

rotate-secret: $(STAMP) ## Give references a new secret (STAGE=dev)
	@exec $(PYTHON) -m infra.rotate_secret $(STAGE)

reconcile: $(STAMP) ## Prove that everything adds up: figures, crime numbers, deadlines, letters, histories (STAGE=dev)
	@exec $(PYTHON) -m infra.reconcile $(STAGE)

import-figures: $(STAMP) ## Import monthly figures from before the service (FILE=figures.csv, STAGE=dev or URL=http://127.0.0.1:8000)
	@exec $(PYTHON) -m infra.import_figures "$(or $(URL),$(STAGE))" "$(FILE)"

redrive: $(STAMP) ## Bring back what is in a dead-letter queue (STAGE=prod QUEUE=triage, letters or stream)
	@exec $(PYTHON) -m infra.redrive $(QUEUE)

replay: $(STAMP) ## Play March 2019 through the service at its real volume (ARGS="--stay", "--month 2019-06", "--reports 200"), or all 18 months ("--all")
	@exec $(PYTHON) -m infra.replay $(ARGS)

load: $(STAMP) ## Find how many reports a second this machine takes and prove that each is there once (ARGS="--rate 60", "--soak"; needs Java and npm)
	@exec $(PYTHON) -m infra.load $(ARGS)

chat-load: $(STAMP) ## Hold many conversations of the live chat at once and prove that nothing is lost (DATABASE=dynamodb-local, ARGS="--conversations 200")
	@exec $(PYTHON) -m infra.chat_load $(ARGS)

clean: ## Remove the environment, the downloads and every cache
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements-dev.txt
	@python=; for found in python3 python3.13 python3.12 python3.11; do \
		if $$found -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$found; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed, and none was found as python3." >&2; exit 1; fi; \
	echo "Making .venv with $$($$python --version) (once; takes a minute)"; \
	$$python -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
