# Everything works on a machine that has Python >= 3.11 (with venv) and make. Without a target: this list.
#
#   make demo         run the example pipeline to the end and say where the results are
#   make test         all tests but the long ones          make test-all   those too
#   make lint         ruff and mypy                        make bench      side by side with others
#   make clean        remove what these made               make bench-peers   install the others for it

PYTHON ?= python3
VENV ?= .venv
BENCH_PEERS ?= build/bench-peers
TESTS ?=
PIP = $(VENV)/bin/python -m pip install --quiet --no-input --disable-pip-version-check

.PHONY: help demo test test-all lint bench bench-peers clean

help:
	@sed -n 's/^#   //p' Makefile

# A folder whose interpreter has gone is made anew. The stamps remember which extras have been installed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vhpipe needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.demo-ready: pyproject.toml $(VENV)/bin/python
	@echo "installing vhpipe and what the example needs"
	@$(PIP) --editable '.[examples]'
	@$(VENV)/bin/python -m compileall -q vhpipe
	@touch $@

$(VENV)/.test-ready: pyproject.toml $(VENV)/bin/python
	@echo "installing vhpipe and what its tests need"
	@$(PIP) --editable '.[dev,examples]'
	@$(VENV)/bin/python -m compileall -q vhpipe
	@touch $(VENV)/.demo-ready $@

demo: $(VENV)/.demo-ready
	@$(VENV)/bin/vhpipe run examples/valohai.yaml
	@echo
	@$(VENV)/bin/vhpipe outputs latest evaluate --project examples --get build/demo --force
	@echo "the results:" && ls -1 build/demo/evaluate/*
	@echo "look at the run: $(VENV)/bin/vhpipe show --project examples"

test: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -n 2 -m "not long" $(TESTS)

test-all: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -n 2

lint: $(VENV)/.test-ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

bench-peers: $(VENV)/.test-ready
	$(VENV)/bin/python -m benchmarks.install $(BENCH_PEERS)

bench: $(VENV)/.test-ready
	$(VENV)/bin/python -m benchmarks --peers $(BENCH_PEERS)

clean:
	rm -rf $(VENV) build dist examples/.vhpipe .mypy_cache .pytest_cache .ruff_cache
