# Each target makes its own environment; nothing but Python 3.11+ is asked of the user.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
FOCUS := .venv-focus
SITE := .venv-site
CODE := billing reports migrations tests website
MERMAID_SHA512 := e35d774dd5de2c0b0caee27bf4ea452f93bcf8b4c55e142a676eb4ac5ded8149a2340b519b852e99ed3823eeb93d137ac99ebd2787fcad56165bccd193ae5463
VERSION := import sys; print("%d.%d" % sys.version_info[:2])
# the first Python of a version there is, by its own word
python_of = $(shell for python in python$(1) $(PYTHON) $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(1).*/bin/python3; do \
  [ "$$("$$python" -c '$(VERSION)' 2>/dev/null)" = $(1) ] && echo "$$python" && break; done)

# A lock names everything, so pip is to look nowhere else: where it does (all before 24.1, in hash mode), a newer release
# of a dependency's dependency breaks the installation of a lock that has not changed.
install = $(1)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/$(2).txt && \
  $(1)/python -m pip check --disable-pip-version-check

.PHONY: bills demo faults test versions fresh hours clients check focus diagrams site fix bench bench-parts lock docs clean

demo: $(RUN)  ## the main job on made-up data: no key, no network
	@$(BIN)/gembill demo

test: $(DEV)  ## all tests, or those named in TESTS; OPTIONS for pytest
	$(BIN)/python -m pytest -n 2 --dist loadscope $(OPTIONS) $(TESTS)

versions: test-3.11 test-3.12 test-3.13  ## the packages' own tests under the other Pythons that are here

test-%:
	@if [ -z "$(call python_of,$*)" ]; then echo "Python $* is not here: not tested" >&2; \
	elif [ "$$($(BIN)/python -c '$(VERSION)' 2>/dev/null)" = $* ]; then echo "Python $* is that of $(VENV)"; \
	else $(MAKE) --no-print-directory test PYTHON="$(call python_of,$*)" VENV=.venv-$* TESTS="tests/gembill tests/gembill_reports"; fi

faults: $(DEV)  ## every fault of docs/reliability.md with its figure, half an hour; SEED, ROUNDS, SECONDS, ONLY=R1,R2, FAULTS_CALLS, WRITE=1
	@$(BIN)/python -m tests.faults --seed $(or $(SEED),1) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--write)

fresh: $(DEV)  ## strangers' machines: old and new pip, newest and lowest dependencies, another day; STEPS for some
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	PYTHON="$(PYTHON)" BIN="$(CURDIR)/$(BIN)" tests/fresh/fresh.sh $(STEPS)

hours: $(DEV)  ## the first hours of three users, from a clone and the lines of the documents (3 minutes)
	$(BIN)/python -m tests.hours

clients: $(DEV)  ## real clients through the proxy: installed, run, compared (10 minutes at most); CLIENTS for some
	-$(BIN)/python -m pip install -q --disable-pip-version-check uv  # without it Python clients are skipped
	$(BIN)/python -m tests.clients.clients $(CLIENTS)

check: $(DEV)  ## style, types, import order, migrations, generated documentation
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	@scratch=$$(mktemp -d) && trap 'rm -rf $$scratch' EXIT && \
	  $(BIN)/alembic -x url="sqlite:///$$scratch/ledger.db" upgrade head && \
	  $(BIN)/alembic -x url="sqlite:///$$scratch/ledger.db" check
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cog -I . --check README.md docs/*.md

focus: $(RUN) $(FOCUS)/.installed  ## the FOCUS export against the FinOps validator; skipped, aloud, without Python 3.12
	@[ ! -e $(FOCUS)/.installed ] || $(BIN)/python -m tests.focus.validate $(FOCUS)

bills: $(DEV)  ## a hundred made-up bills of Google's in every form, explained to the last digit; SEED, BILLS
	@$(BIN)/python -m tests.bills --seed $(or $(SEED),1) --bills $(or $(BILLS),100)

diagrams: $(DEV)  ## the documents' diagrams drawn by Mermaid in Chromium; skipped, aloud, without npm or Chromium
	@[ -e .mermaid/mermaid.min.js ] || $(MAKE) --no-print-directory .mermaid/mermaid.min.js || \
	  echo "Mermaid could not be fetched: the diagrams were not drawn" >&2
	$(BIN)/python -m pytest tests/test_diagrams.py

site: $(SITE)/.installed  ## the documentation as a site, in site/; diagrams are drawn where `make diagrams` was made
	@rm -rf site && NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --quiet --strict --config-file website/mkdocs.yml
	@$(SITE)/bin/python website/check.py site && echo "the documentation is in site/index.html"

.mermaid/mermaid.min.js:  # one file of a package of 26 MB; what came is compared with the digest of what was tried
	@rm -rf .mermaid && mkdir -p .mermaid
	@cd .mermaid && npm pack --silent mermaid@12.3.0 >/dev/null && \
	  echo "$(MERMAID_SHA512)  mermaid-12.3.0.tgz" | sha512sum -c --quiet && \
	  tar xzf mermaid-12.3.0.tgz -O package/dist/mermaid.min.js >drawn.js && mv drawn.js mermaid.min.js && rm *.tgz

fix: $(DEV)  ## what `check` asks for, as far as a tool can do it
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

docs: $(DEV)  ## write the generated parts of the documentation again; pictures need Chromium
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cog -I . -r README.md docs/*.md
	$(BIN)/python -m tests.pictures

bench: $(DEV)  ## a call through gembill, nginx and others, into docs/performance.md; BENCH_QUICK=1, BENCH_WITH="litellm"
	@$(BIN)/python -m tests.bench.contest $(if $(BENCH_QUICK),,--write)

bench-parts: $(DEV)  ## measurements of single parts, by hand; ratios against a yardstick of the same run
	@for bench in $(basename $(notdir $(wildcard tests/bench/bench_*.py))); do \
	  echo "== $$bench"; $(BIN)/python -m tests.bench.$$bench || exit 1; done

lock: $(VENV)/pyvenv.cfg  ## pin the dependencies again
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml --group build -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 --group site -o requirements/site.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.12 requirements/focus.in -o requirements/focus.txt
	for each in clients clients-old; do \
	  $(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 requirements/$$each.in -o requirements/$$each.txt; \
	done

clean:
	rm -rf $(VENV) .venv-* .mermaid dist build site

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gembill needs Python 3.11 or newer, this is %s" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(RUN): $(VENV)/pyvenv.cfg requirements/run.txt pyproject.toml
	$(call install,$(BIN),run)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(VENV)/pyvenv.cfg requirements/dev.txt pyproject.toml
	$(call install,$(BIN),dev)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(RUN)

$(SITE)/.installed: $(VENV)/pyvenv.cfg requirements/site.txt
	@rm -rf $(SITE)
	$(BIN)/python -m venv $(SITE)
	$(call install,$(SITE)/bin,site)
	@touch $@

$(FOCUS)/.installed: requirements/focus.txt  # of Python 3.12: the numpy it wants is built for no newer one
	@rm -rf $(FOCUS)
	@if [ -z "$(call python_of,3.12)" ]; then \
	  echo "focus-validator needs Python 3.12: the FOCUS export was not validated" >&2; \
	else \
	  "$(call python_of,3.12)" -m venv $(FOCUS) && \
	  { $(call install,$(FOCUS)/bin,focus); } && \
	  touch $@; \
	fi
