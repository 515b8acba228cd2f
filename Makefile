# Each target makes its own environment; nothing but Python 3.11+ is asked of the user.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
CODE := billing reports migrations tests

.PHONY: demo test check fix bench lock docs clean

demo: $(RUN)  ## the main job on made-up data: no key, no network
	@$(BIN)/gembill demo

test: $(DEV)  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadscope

check: $(DEV)  ## style, types, import order, migrations, generated documentation
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	@scratch=$$(mktemp -d) && trap 'rm -rf $$scratch' EXIT && \
	  $(BIN)/alembic -x url=sqlite:///$$scratch/ledger.db upgrade head && \
	  $(BIN)/alembic -x url=sqlite:///$$scratch/ledger.db check
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/cog --check README.md docs/*.md

fix: $(DEV)  ## what `check` asks for, as far as a tool can do it
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

docs: $(DEV)  ## write the generated parts of the documentation anew
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/cog -r README.md docs/*.md

bench: $(DEV)  ## measurements, by hand; ratios against a yardstick of the same run
	@for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

lock: $(DEV)  ## pin the dependencies anew
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml --group dev -o requirements/dev.txt

clean:
	rm -rf $(VENV) dist build

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gembill needs Python 3.11 or newer, this is %s" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(RUN): $(VENV)/pyvenv.cfg requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(DEV): $(VENV)/pyvenv.cfg requirements/dev.txt pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@ $(RUN)
