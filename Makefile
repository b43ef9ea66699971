# Everything a person or CI does here starts with `make`. Plain `make` lists what there is.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --warn-undefined-variables
ARGS ?=

# The environment is .venv in this folder and nothing else: no activated venv, no user site, no pip --user by configuration.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_USER := 0
export PYTHONNOUSERSITE := 1
# Compiled files are kept: without them every test worker and every command compiles all of it anew, a minute in a run.
unexport PYTHONDONTWRITEBYTECODE

bin := .venv/bin
ready := .venv/.ready
pip := $(bin)/python -m pip --disable-pip-version-check --no-input install -qq

# A .venv counts as made only if its last step was reached, here (a copied .venv points elsewhere), by a Python that still runs.
ifneq ($(shell [ "$$(cat $(ready) 2>/dev/null)" = "$$PWD" ] && $(bin)/python -c "" 2>/dev/null && echo made),made)
.PHONY: $(ready)
endif

.PHONY: help
help: ## list these targets
	@grep -E '^[a-z-]+:.*##' Makefile | awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(ready) ## make .venv from requirements.lock
	@:

.PHONY: demo
demo: $(ready) ## run the demonstration (ARGS="..." goes to it)
	@$(bin)/wuye-loop demo $(ARGS)

.PHONY: test
test: $(ready) ## run the tests
	@$(bin)/python -m pytest -q -m "not proof" -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: check
check: $(ready) ## lint, format, types, floors
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/mypy src tests migrations
	@$(bin)/lint-imports --no-cache

.PHONY: browser
browser: $(ready) ## look at the pages in a real browser (Chromium)
	@$(bin)/python -m tests.browser.ready
	@$(bin)/python -m pytest -q -o "python_files=look_*.py" tests/browser $(ARGS)

.PHONY: shots
shots: $(ready) ## take a picture of every page, on one sheet under var/shots
	@$(bin)/python -m tests.browser.ready
	@$(bin)/python -m tests.browser.shots $(ARGS)

.PHONY: dates
dates: $(ready) ## run the tests on other dates (libfaketime)
	@$(bin)/python -m tests.dates $(ARGS)

.PHONY: pythons
pythons: $(ready) ## run the tests on every supported Python found here
	@$(bin)/python -m tests.pythons $(ARGS)

.PHONY: fresh
fresh: $(ready) ## run both commands in fresh clones elsewhere
	@$(bin)/python -m tests.fresh $(ARGS)

.PHONY: picture
picture: $(ready) ## draw docs/architecture.md from the imports
	@$(bin)/python -m tests.house.picture

.PHONY: words
words: $(ready) ## find what English pages have no words for yet
	@$(bin)/python -m tests.house.words

.PHONY: bench
bench: $(ready) ## measure the speed
	@$(bin)/python -m tests.bench $(ARGS)
	@$(bin)/python -m tests.bench.living $(ARGS)
	@$(bin)/python -m tests.bench.reading $(ARGS)
	@$(bin)/python -m tests.bench.assessment $(ARGS)

.PHONY: bench-peers
bench-peers: $(ready) ## measure our step beside other libraries'
	@$(bin)/python -m tests.bench.peers $(ARGS)

.PHONY: proof
proof: $(ready) ## run the slow proofs: faults, load
	@$(bin)/python -m pytest -q -m proof $(ARGS)

.PHONY: lock
lock: $(ready) ## write requirements.lock anew from pyproject.toml
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(bin)/python -m venv "$$dir/venv" && \
	"$$dir/venv/bin/python" -m pip --disable-pip-version-check install --quiet uv && \
	UV_SYSTEM_CERTS=true "$$dir/venv/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url \
		--extra embedded --extra learn --extra oidc --group dev --group build pyproject.toml --output-file "$$dir/lock" && \
	UV_SYSTEM_CERTS=true "$$dir/venv/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --constraint "$$dir/lock" \
		--only-group browser --output-file "$$dir/browser" && \
	cat "$$dir/browser" > requirements-browser.lock && \
	cat "$$dir/lock" > requirements.lock && echo "requirements.lock: $$(grep -c == requirements.lock) packages"

.PHONY: clean
clean: ## remove .venv and everything tools left behind (data under var/ stays)
	@rm -rf .venv .pythons .peers .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist build
	@find src tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# The launcher is our own: pip's hands the folder's name to a shell, which reads quotes and dollar signs in it.
$(ready): requirements.lock pyproject.toml
	@if [ "$$(cat $(ready) 2>/dev/null)" != "$$PWD" ] || ! $(bin)/python -c "" 2>/dev/null; then \
		rm -rf .venv; \
		for python in python3.13 python3.12 python3.11 python3 python; do \
			"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || continue; \
			new=$$python; \
			if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$${new:-}" ]; then \
			echo "没有找到 Python 3.11、3.12 或 3.13（别的版本没有试过，不用），请先安装其中一个。/ No Python 3.11, 3.12 or 3.13 found (others were not tried and are refused); please install one of them." >&2; exit 1; \
		fi; \
		if [ -z "$${found:-}" ]; then \
			echo "$$new 缺少 venv 模块。/ $$new lacks its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; \
		fi; \
		echo "设置环境 / setting up .venv (about a minute)"; \
		"$$found" -m venv .venv || exit 1; \
	fi; \
	rm -f $(ready); \
	$(pip) --require-hashes --only-binary :all: -r requirements.lock && \
	$(pip) --no-deps --no-build-isolation --editable . && \
	printf '%s\n' '#!/bin/sh' 'exec "$${0%/*}/python" -P -m wuye_loop "$$@"' > $(bin)/wuye-loop && \
	pwd > $(ready)
