# SPDX-License-Identifier: GPL-3.0-or-later
# Every target makes its own virtual environment. On Windows, call the python lines of a target by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin/python
ENVIRONMENT := $(PYTHON) .ci/environment.py

.PHONY: demo test test-blenders lint bench addon clean

# Index the samples in a real Blender, find what is like the character's motion, apply the best one: build/demo/.
demo:
	@$(ENVIRONMENT) $(VENV) run blender
	@$(BIN) benchmarks/demo.py

# Everything, with the one Blender that fits this Python. HUMS_DATA=<unpacked archives> adds the tests on whole corpora.
test:
	@$(ENVIRONMENT) $(VENV) run train blender dev
	$(BIN) -m pytest tests --ignore tests/gui

# The built extension in Blender 4.2, 4.5, 5.0 and 5.2, as far as this machine has a Python for them.
test-blenders:
	@$(PYTHON) .ci/test_blenders.py

lint:
	@$(ENVIRONMENT) $(VENV) run train blender dev
	$(BIN) -m ruff check
	$(BIN) -m ruff format --check
	$(BIN) -m pyright --pythonpath $(BIN)

# The figures of README.md and docs/ that need no data but the samples, and how fast BVH is read.
bench:
	@$(ENVIRONMENT) $(VENV) run blender
	$(BIN) benchmarks/sample_classes.py
	$(BIN) benchmarks/on_another_rig.py
	$(BIN) benchmarks/indexing.py
	$(BIN) benchmarks/query.py --sizes 1000 10000
	$(BIN) benchmarks/vector_search.py build/benchmarks/samples.hums build/benchmarks/1000.hums build/benchmarks/10000.hums

# The extension for this computer, as a zip in build/ that Blender installs.
addon:
	@$(ENVIRONMENT) $(VENV) run blender
	$(BIN) build_addon.py

clean:
	rm -rf build dist .venv .venv-* .pytest_cache .ruff_cache .hypothesis *.egg-info
