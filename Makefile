PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install demo test quick check format notebooks docs dist-check licences audit pictures clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt hatch_build.py
	@echo "Installing into $(VENV): a few minutes the first time, up to 7 GB with CUDA libraries."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,offline]"
	touch $@

demo: install
	$(BIN)/habitus demo

# Three at a time, a file of tests each, in their order (the longest come early): many wait for processes that they start.
test: install
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

quick: install
	$(BIN)/pytest -m "not slow" tests

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

notebooks: install
	$(BIN)/python -m jupyter execute --inplace notebooks/*.ipynb

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file notebooks/mkdocs.yml

dist-check: install
	$(BIN)/python .ci/dist_check.py $(EXTRAS)

licences: install
	$(BIN)/python .ci/licences.py

audit:
	$(PYTHON) .ci/audit.py

pictures: install
	$(BIN)/python -m habitus.evals.bench.picturing evals/bench/pictures/page.png

clean:
	rm -rf $(VENV) build dist
