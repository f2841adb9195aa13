# GNU make; the recipes are plain sh. `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))
VENV := .venv
BIN := $(VENV)/bin
# A lock is complete (tests/test_locks.py): were dependencies resolved again, a release of tomorrow
# would be asked for and refused for want of its hash.
PIP = bin/python -m pip --disable-pip-version-check
PIP_INSTALL = $(PIP) install --quiet --no-deps --require-hashes -r

CATALOGUES := $(wildcard locale/*/LC_MESSAGES/django.po)
COMPILED := $(CATALOGUES:.po=.mo)
STATIC_FILES := $(shell find static -type f)
TEMPLATES = $$(find templates -name '*.html')
CHOSEN = not browser and not benchmark
PYTEST = python -m pytest -n auto --dist worksteal -m "$(CHOSEN)"

# What `manage.py check --deploy` is shown: a production site with a secret of its own.
PRODUCTION = DEBUG=False HTTPS=True ALLOWED_HOSTS=portal.example.org \
  SITE_URL=https://portal.example.org SECRET_KEY="$$($(RANDOM_KEY))" \
  SIGNING_KEYS="$$($(RANDOM_SIGNING_KEY))"
RANDOM_KEY = $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))'
# Ed25519 in PKCS 8 is these 16 octets and 32 random ones.
RANDOM_SIGNING_KEY = $(BIN)/python -c 'import base64, secrets; \
  octets = bytes.fromhex("302e020100300506032b657004220420") + secrets.token_bytes(32); \
  print("-----BEGIN PRIVATE KEY-----", base64.b64encode(octets).decode(), "-----END PRIVATE KEY-----")'

.DEFAULT_GOAL := help
.PHONY: help install demo test test-postgres test-browser test-next check messages extract lock \
  benchmark clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# --- Python and its packages: one .venv, a stamp in it for each lock that it holds ---------------

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or newer is needed; name one with PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	  || { echo 'Python lacks venv: on Debian, apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/runtime.stamp: requirements.txt $(VENV)/pyvenv.cfg
	$(VENV)/$(PIP_INSTALL) $<
	$(VENV)/$(PIP) check
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/pyvenv.cfg
	$(VENV)/$(PIP_INSTALL) $<
	$(VENV)/$(PIP) check
	@touch $@ $(VENV)/runtime.stamp

install: $(VENV)/dev.stamp ## Install what running and developing need into .venv

lock: ## Lock the requirements again (needs uv)
	uv pip compile $(LOCK) --python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile $(LOCK) --python-version 3.11 pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	uv pip compile $(LOCK) --python-version 3.13 pyproject.toml --group dev -o requirements-next.txt
LOCK = --quiet --universal --fork-strategy fewest --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links --no-strip-extras --upgrade

# --- The portal with its demo data ----------------------------------------------------------------

.env: | $(VENV)/runtime.stamp
	@umask 077 && printf '# Made by make demo; .env.example explains every variable.\n%s\n%s\n' \
	  "SECRET_KEY=$$($(RANDOM_KEY))" 'HTTPS=False' > $@

# A process of a group of its own: Ctrl-C reaches the recipe alone, which then ends it by SIGTERM.
# granian hangs when its workers get a SIGINT as well.
APART = $(BIN)/python -c 'import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])'

# Certificates as PDF need pango from the system (Debian: libpangoft2-1.0-0 libharfbuzz-subset0
# fonts-dejavu-core); without it the label's page, to print, answers in their place.
demo: export SITE_URL = http://127.0.0.1:$(PORT)
# Mails are printed here: consolemail, and the sender beside the server.
# Passwords open the demo; an installation asks everyone who edits for a second factor.
demo: export REQUIRE_SECOND_FACTOR ?= False
demo: $(VENV)/runtime.stamp .env messages var/static/staticfiles.json ## Serve the portal with demo data (PORT=8000)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py createcachetable
	@$(BIN)/python manage.py load_demo
	@$(BIN)/python manage.py create_demo_account
	@$(BIN)/python manage.py create_signing_key >/dev/null
	@echo "The portal is at $(SITE_URL) (Ctrl-C stops it)"
	@trap 'kill $$started 2>/dev/null; wait' EXIT; trap 'exit 0' INT TERM; \
	  $(BIN)/python manage.py send_mail --loop & started=$$!; \
	  $(APART) $(BIN)/granian config.wsgi:application --interface wsgi --http 1 --no-ws --workers 2 \
	  --blocking-threads 8 --respawn-failed-workers --workers-kill-timeout 10 \
	  --http1-header-read-timeout 10000 --host 127.0.0.1 --port $(PORT) --log-level warning & \
	  started="$$started $$!"; wait $$!

var/static/staticfiles.json: $(STATIC_FILES) $(VENV)/runtime.stamp | .env
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@touch -c $@

messages: $(COMPILED) ## Compile the translations

locale/%/LC_MESSAGES/django.mo: locale/%/LC_MESSAGES/django.po | $(VENV)/runtime.stamp
	@$(BIN)/pybabel --quiet compile --locale $* --input-file $< --output-file $@

extract: install ## Collect the texts to translate (needs GNU gettext)
	@$(BIN)/python manage.py makemessages --settings tests.settings --verbosity 0 --all \
	  --no-location --no-obsolete --ignore '.venv*' --ignore 'tests/*' --ignore 'var/*'

# --- Tests ----------------------------------------------------------------------------------------

test: install messages ## The whole suite on SQLite, then on PostgreSQL where there is one
	TEST_DATABASE_URL= $(BIN)/$(PYTEST) $(ARGS)
	@if $(BIN)/python -m tests.postgres; then \
	  $(MAKE) --no-print-directory test-postgres && echo 'The suite ran on: SQLite, PostgreSQL'; \
	else \
	  echo 'The suite ran on: SQLite (no PostgreSQL server programs, no TEST_DATABASE_URL)'; \
	fi

test-postgres: CHOSEN = not browser and not benchmark and not one_engine
test-postgres: install messages ## The suite on a throw-away PostgreSQL, or on TEST_DATABASE_URL
	$(BIN)/python -m tests.postgres -- $(BIN)/$(PYTEST) $(ARGS)

test-browser: install messages ## The tests in Chromium (CHROMIUM=/path/to/it)
	@test -x "$(CHROMIUM)" \
	  || { echo 'Chromium is needed: on Debian, apt-get install chromium; or CHROMIUM=…' >&2; exit 1; }
	CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest -n auto --dist worksteal -m browser tests/browser $(ARGS)

NEXT_PYTHON = $(firstword $(foreach python,\
  python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13),\
  $(shell $(python) -c 'import sys; print(sys.executable)' 2>/dev/null)))

.venv-next/dev.stamp: requirements-next.txt
	$(NEXT_PYTHON) -m venv --clear .venv-next
	.venv-next/$(PIP_INSTALL) $<
	.venv-next/$(PIP) check
	@touch $@

test-next: messages ## The suite on Django 6.1 with Python 3.13, where that is found
	@if test -z "$(NEXT_PYTHON)"; then echo 'Not run: there is no Python 3.13'; else \
	  $(MAKE) --no-print-directory .venv-next/dev.stamp \
	  && TEST_DATABASE_URL= .venv-next/bin/$(PYTEST) $(ARGS); fi

benchmark: install messages ## The speed measurements
	$(BIN)/python -m pytest -m benchmark -s tests/benchmarks $(ARGS)

# --- Everything that reads the code ---------------------------------------------------------------

check: install messages ## Lint, format, types, import contract, templates, migrations, deployment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djade --target-version 5.2 --check $(TEMPLATES)
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py makemigrations --settings tests.settings --check --dry-run
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

clean: ## Remove what can be made again; the database, var/ and .env stay
	rm -rf .venv .venv-next .cache .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -f $(COMPILED)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
