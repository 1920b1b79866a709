# Everything works on a machine that has Python >= 3.11 (with venv) and make. Without a target: this list.
#
#   make demo         run the example pipeline to the end and say where the results are
#   make test         all tests but the long ones and the proofs   make test-all   those too
#   make test-proofs      kills, full disks and faults of calls, a sample of each
#   make lint         ruff and mypy                        make bench      side by side with others
#   make clean        remove what these made               make bench-peers   install the others for it
#   make instructions     instruction counts beside those of the last version (needs valgrind)
#   make test-lowest      quick tests with the lowest versions of what vhpipe needs
#   make test-newest      the same tests with the newest versions
#   make test-worlds      the long tests of poorer file systems, users and files (some take root)
#   make test-places      whole runs in containers, with podman and docker as far as they are here
#   make test-local       the long tests of the default place, the sandbox and environments, as root and as a user
#   make lock             write requirements-dev.lock anew, on Python 3.11

PYTHON ?= python3
VENV ?= .venv
BENCH_PEERS ?= build/bench-peers
TESTS ?=
JOBS ?= 2
# Of the instructions of 0.3.0; see decision 111.
MOST ?= 1.13
PIP = $(VENV)/bin/python -m pip install --quiet --no-input --disable-pip-version-check
LOCK = requirements-dev.lock
# What other versions of the dependencies can break, and a few whole runs.
DEPENDENT = $(addprefix tests/,cli config document graph plan rules schedule store views \
  runs/test_contract.py runs/test_edges.py runs/test_reuse.py)

.PHONY: help demo test test-all test-proofs test-worlds test-places test-local test-lowest test-newest install-lowest install-newest lint lock bench bench-peers instructions clean

help:
	@sed -n 's/^#   //p' Makefile

# A folder whose interpreter has gone is made anew. The stamps remember which extras have been installed, in the
# versions of the lock.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vhpipe needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.demo-ready: pyproject.toml $(LOCK) $(VENV)/bin/python
	@echo "installing vhpipe and what the example needs"
	@$(PIP) --constraint $(LOCK) --editable '.[examples]'
	@$(VENV)/bin/python -m compileall -q vhpipe
	@touch $@

$(VENV)/.test-ready: pyproject.toml $(LOCK) $(VENV)/bin/python
	@echo "installing vhpipe and what its tests need"
	@$(PIP) --constraint $(LOCK) --editable '.[dev,examples]'
	@$(VENV)/bin/python -m compileall -q vhpipe
	@touch $(VENV)/.demo-ready $@

demo: $(VENV)/.demo-ready
	@$(VENV)/bin/vhpipe run examples/valohai.yaml
	@echo
	@$(VENV)/bin/vhpipe outputs latest evaluate --project examples --get build/demo --force
	@echo "the results:" && ls -1 build/demo/evaluate/*
	@echo "look at the run: $(VENV)/bin/vhpipe show --project examples"

test: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -n $(JOBS) -m "not long" --hypothesis-profile=quick --ignore=tests/proofs $(TESTS)

test-proofs: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -n $(JOBS) -m "not long" --hypothesis-profile=quick tests/proofs

test-worlds: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -rs -n $(JOBS) -m long tests/worlds

# The contract of runners in containers, and whole runs in them.
test-places: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -rs -n $(JOBS) -m long -k "podman or docker" tests/contracts tests/places

# What steps of this machine see: the contract as a user, hostile steps, kills, environments, mounts and commits.
LOCAL = $(addprefix tests/,contracts namespaces $(addprefix runs/,test_local_place.py test_hostile_steps.py \
  test_local_machine.py test_sandbox.py test_environments.py test_mounts.py test_cache_volumes.py test_commits.py test_shell.py test_agent_controls.py test_host_notices.py))
test-local: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -rs -n $(JOBS) -m long -k "not podman and not docker" $(LOCAL)

test-all: $(VENV)/.test-ready
	$(VENV)/bin/python -m pytest -q -n $(JOBS)

# The tools of the tests stay as they are locked: only what vhpipe needs at run time is changed, and what that needs.
test-lowest test-newest: test-%:
	@$(MAKE) --no-print-directory VENV=$(VENV)-$* $(VENV)-$*/.test-ready
	@$(MAKE) --no-print-directory VENV=$(VENV)-$* install-$*
	@$(VENV)-$*/bin/python -m pip check
	$(VENV)-$*/bin/python -m pytest -q -n $(JOBS) -m "not long" --hypothesis-profile=quick $(DEPENDENT)

# mypy needs a newer pathspec than vhpipe does, and no test needs mypy.
install-lowest:
	@echo "installing the lowest versions of what vhpipe needs"
	@$(VENV)/bin/python -m pip uninstall --quiet --yes mypy
	@$(PIP) --requirement requirements-lowest.txt

install-newest:
	@echo "installing the newest versions of what vhpipe needs"
	@$(PIP) --upgrade --upgrade-strategy eager --editable .

lint: $(VENV)/.test-ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

# On the lowest Python, for its versions install on later ones too.
lock:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "the lock is made on Python 3.11; name one with: make lock PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/python -m pip install --quiet --no-input --disable-pip-version-check --editable '.[dev,examples]'
	@{ echo "# Versions of the extras dev and examples; written by: make lock"; \
	  build/lock/bin/python -m pip freeze --exclude-editable; } > build/$(LOCK)
	@mv build/$(LOCK) $(LOCK)

bench-peers: $(VENV)/.test-ready
	$(VENV)/bin/python -m benchmarks.install $(BENCH_PEERS)

bench: $(VENV)/.test-ready
	$(VENV)/bin/python -m benchmarks --peers $(BENCH_PEERS)

instructions: $(VENV)/.test-ready
	$(VENV)/bin/python -m benchmarks.instructions --most $(MOST)

clean:
	rm -rf $(VENV) $(VENV)-* build dist examples/.vhpipe .mypy_cache .pytest_cache .ruff_cache
