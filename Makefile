# The two commands: `make demo` and `make test`. Both set up what they need.
#
# PYTHON=python3.12 chooses the interpreter of a new environment.
# Cluster tests run against real etcd and Kubernetes: those of KUBEBUILDER_ASSETS or PATH, else
# those that `make control-plane` builds once, in some six minutes and with 4 GB of Go's caches.
# `make test` runs them where these programs are, and says how to get them where they are not.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

CONTROL_PLANE := etcd kube-apiserver kube-controller-manager
PEERS := $(filter-out $(CONTROL_PLANE),$(notdir $(patsubst %/go.mod,%,$(wildcard tests/peers/*/go.mod))))

.PHONY: help setup demo test cluster-test control-plane check bench fuzz soak peers clean

help:
	@echo "make demo   transform a realistic application and show the diff"
	@echo "make test   run the tests"
	@echo "make cluster-test  those that need real etcd and Kubernetes, which are built once"
	@echo "make check  ruff, mypy, generated files"
	@echo "make bench  race against yq, kustomize and ruamel.yaml, count the binder's calls;"
	@echo "            writes benchmarks/*.md"
	@echo "make fuzz   100,000 generated manifests and 1,000,000 steps of the binder against the laws"
	@echo "make soak   20 rolling updates under load, all faults, the webhook under load: an hour"

setup: $(STAMP)

$(STAMP): pyproject.toml .ci/requirements.txt .ci/venv
	@sh .ci/venv "$(PYTHON)" $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-r .ci/requirements.txt --editable . --config-settings editable_mode=compat
	@touch $@

demo: setup
	@PATH="$(abspath $(BIN)):$$PATH" sh tests/demo/run

test: setup
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

cluster-test: setup control-plane
	@$(BIN)/python -m pytest -m cluster

control-plane: setup
	@$(BIN)/python -m tests.controlplane.programs || sh tests/peers/install $(CONTROL_PLANE)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m schemas check

peers:
	@sh tests/peers/install $(PEERS)

bench: setup peers
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.simulator
	@$(BIN)/python -m benchmarks.binder

fuzz: setup
	@$(BIN)/python -m tests.fuzz
	@$(BIN)/python -m tests.binder.core.laws --steps 1000000

soak: setup control-plane
	@$(BIN)/python -m tests.binder.plane.soak
	@$(BIN)/python -m tests.binder.endtoend.soak
	@$(BIN)/python -m tests.binder.webhook.soak

clean:
	rm -rf $(VENV) build dist *.egg-info
