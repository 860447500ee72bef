# make demo   see what fastdense does
# make test   the whole check: lint, types, tests
# make lint   the part of it that runs no test; make pytest: the rest
# make sanitize  the tests over builds that end at wrong memory use, undefined behaviour or a race (needs GCC)
# make emulate   the tests over the kernels for 64-bit ARM, emulated (as root, on an x86 Debian machine)
# make fuzz   read a million damaged files per format, run thousands of networks, and all cases in all libraries
# make bench  measure against the other libraries, in about fifteen minutes (QUICK=1: in one)
# make docs   build the site of the documentation, in docs/_build/html, its tutorial's pages run
# make stub   write the type stub of the compiled module anew
# make clean  remove what the others made

VENV   ?= .venv
PYTHON ?= python3
EXTRAS ?= test,docs
# Two workers, each taking whole files: the tests of one file share their set-up. One BLAS thread for each: more
# threads than cores wait for one another, and small products take 20 times as long.
# The files come in the order of their folders, so that the last are those of the package, short ones: else they come
# by their number of tests, and one worker ends minutes after the other with a long file of few.
PYTEST ?= OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

BIN       := $(VENV)/bin
INSTALLED := $(VENV)/.installed-$(EXTRAS)
STUB      := src/fastdense/native/_core.pyi
CXX_FILES := $(shell find native -name '*.h' -o -name '*.cpp' -o -name '*.inc')
# Directories count too: they change when a file is removed.
SOURCES   := pyproject.toml CMakeLists.txt $(shell find src native ! -path '*/__pycache__*')

.PHONY: demo test pytest lint sanitize sanitize-memory sanitized sanitize-threads emulate fuzz bench docs stub clean
.DELETE_ON_ERROR:

demo: $(INSTALLED)
	$(BIN)/python examples/demo.py

test: lint pytest

# The tests, and the examples in docstrings, run against the installed package, not the source tree.
pytest: $(INSTALLED)
	$(PYTEST) tests --pyargs fastdense

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)
	$(BIN)/mypy

# An uninstrumented interpreter loads a sanitizer's library only if it is there from the start.
preloaded = LD_PRELOAD="$(foreach lib,$(1) stdc++,$(shell $(CXX) -print-file-name=lib$(lib).so))"

sanitize: sanitize-memory sanitize-threads

# Over what reaches compiled code: without the package's examples, and the tests of what is Python alone or is another
# library's.
sanitize-memory: sanitized
	$(call preloaded,asan ubsan) ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
		UBSAN_OPTIONS=print_stacktrace=1 $(PYTEST:$(BIN)/%=$(VENV)-asan/bin/%) tests $(addprefix --ignore=tests/, \
		array cli core docs formats insight keras libraries reference search tables typing)

sanitized:
	$(MAKE) VENV=$(VENV)-asan EXTRAS=test SANITIZE=address,undefined $(VENV)-asan/.installed-test

# One after another, at addresses that the sanitizer knows, and without the tests that load polars, which does not
# survive this sanitizer's library.
sanitize-threads:
	$(MAKE) VENV=$(VENV)-tsan EXTRAS=test SANITIZE=thread $(VENV)-tsan/.installed-test
	$(call preloaded,tsan) TSAN_OPTIONS="halt_on_error=1 allocator_may_return_null=1 die_after_fork=0" \
		OPENBLAS_NUM_THREADS=1 setarch --addr-no-randomize $(VENV)-tsan/bin/python -m pytest tests/native \
		tests/network tests/training tests/insight tests/test_engines.py tests/test_jobs.py tests/test_protocol.py \
		tests/test_layer.py --ignore tests/training/test_input_kinds.py

emulate:
	.ci/emulate

fuzz: $(INSTALLED)
	FASTDENSE_FUZZ=50 $(PYTEST) tests -k "fuzz or libraries"

# The peers are gigabytes: they have an environment of their own.
bench:
	$(MAKE) VENV=.venv-bench EXTRAS=bench .venv-bench/.installed-bench
	.venv-bench/bin/python benchmarks/run.py $(if $(QUICK),--quick)
	.venv-bench/bin/python benchmarks/estimators.py $(if $(QUICK),--quick)
	.venv-bench/bin/python benchmarks/search.py $(if $(QUICK),--quick)

# Every warning is an error: a link that leads nowhere, a public name without a page.
docs: $(INSTALLED)
	OPENBLAS_NUM_THREADS=1 $(BIN)/sphinx-build --fail-on-warning --keep-going -q docs docs/_build/html

stub: $(INSTALLED)
	$(BIN)/python -m nanobind.stubgen -q -m fastdense.native._core -o $(STUB)

clean:
	rm -rf $(VENV) $(VENV)-asan $(VENV)-tsan .venv-bench build dist docs/_build docs/lessons
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What the build needs is installed once, at a path that stays: with pip's isolation each build has it somewhere
# new, and compiles everything anew.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'])" \
		| xargs $(BIN)/python -m pip install cmake ninja

# Not editable: what is tested is what users get. The kept build directory compiles only what changed.
$(INSTALLED): $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --no-build-isolation \
		-Cbuild-dir=$(VENV)/build -Ccmake.define.FASTDENSE_WERROR=ON \
		$(if $(SANITIZE),-Ccmake.build-type=RelWithDebInfo -Ccmake.define.FASTDENSE_SANITIZE=$(SANITIZE)) \
		'.[$(EXTRAS)]'
	touch $@
