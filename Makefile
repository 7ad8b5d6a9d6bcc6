# make demo   the made-up town, from streets to map and site list
# make test       lint, types, tests, doctests, notebooks
# make coverage   the tests once more, with branch coverage of at least 90 %
# make wheelhouse everything for machines without internet, Windows and Linux
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types coverage tests notebooks docs gallery benchmarks wheelhouse clean

demo: $(VENV)/.core
	$(BIN)/careshed demo

test: lint types tests notebooks

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

# The loops are compiled once for all workers; then they run once more line by line.
tests: $(VENV)/.test
	$(BIN)/careshed warm-up
	$(BIN)/python -m pytest -n 2 --dist loadfile
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m interpreted --no-header -q tests/test_kernels.py

# The same with branches counted, which takes half as long again: a gate before a release.
coverage: $(VENV)/.test
	$(BIN)/coverage erase
	$(BIN)/careshed warm-up
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m interpreted --no-header -q --cov --cov-append --cov-report= tests/test_kernels.py
	$(BIN)/coverage report --fail-under=90

notebooks: $(VENV)/.test
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=300 --no-header -q notebooks

# The documentation site, in dist/site; it opens by double click.
docs: $(VENV)/.test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

# The pictures of docs/gallery.md, from the demo town; needs LibreOffice and poppler too.
gallery: $(VENV)/.test
	$(BIN)/python tools/gallery.py

benchmarks: $(VENV)/.test
	$(BIN)/pip install -q -e '.[benchmark]'
	$(BIN)/python benchmarks/reach.py

# Everything for machines without internet, Windows and Linux: docs/offline_install.md
wheelhouse: $(VENV)/.core
	$(BIN)/python tools/wheelhouse.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q -e .
	$(BIN)/careshed warm-up
	touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q -e '.[test,docs]'
	touch $@

clean:
	rm -rf .coverage htmlcov dist build .pytest_cache .mypy_cache .ruff_cache
