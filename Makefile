# The verbs of the project. PYTHON is any Python >= 3.11 with the package and its extras installed.
PYTHON ?= python3

.PHONY: demo test check format oracle lab browser bench validate fuzz

demo:  ## the main job
	$(PYTHON) -m sizewise memory llama-3.1-8b --context 32k --on rtx-4090

test:  ## every test that needs neither torch nor a network
	$(PYTHON) -m pytest

check:  ## format, lint, types, walls, documentation
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	PYTHONPATH=src $(PYTHON) -m importlinter.cli lint-imports
	$(PYTHON) -m pytest tests/docs

format:  ## write what check asks for
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

oracle:  ## fresh random configurations against transformers on the meta device (extra: oracle)
	$(PYTHON) -m pytest -m oracle

lab:  ## what torch saves, computes and holds, on random and on large models (extra: lab)
	$(PYTHON) -m pytest -m lab tests/lab

browser:  ## the page in Debian's chromium (extra: browser)
	$(PYTHON) -m pytest -m browser tests/browser

bench:  ## the package's own speed, as ratios
	$(PYTHON) benchmarks/cold_start.py
	$(PYTHON) benchmarks/warm_count.py
	$(PYTHON) -m benchmarks.checkpoint_headers
	$(PYTHON) benchmarks/law_fits.py
	$(PYTHON) benchmarks/layout_search.py
	$(PYTHON) benchmarks/serving_search.py
	$(PYTHON) benchmarks/service_load.py
	$(PYTHON) -m benchmarks.page_redraw

validate:  ## predictions against shipped measurements, coverage against transformers (extra: oracle)
	$(PYTHON) -m sizewise validate --check
	$(PYTHON) -m pytest tests/golden
	$(PYTHON) validation/coverage.py

fuzz:  ## hostile inputs until INPUTS of each format are read; SEED starts elsewhere
	SIZEWISE_FUZZ=$(or $(INPUTS),1000000) SIZEWISE_FUZZ_SEED=$(or $(SEED),$(shell date +%s)) $(PYTHON) -m pytest tests/fuzz -s
