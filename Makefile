# Everything a reader or an author runs. `make` alone lists it. Written for GNU make 3.81 and later.

PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
LESSONS_COPY ?= my_lessons
ARGS ?=
REPOSITORY ?=

comma := ,
python := .venv/bin/python
# Written last, so that an environment that was interrupted half-way is taken up again.
installed := .venv/installed
# The pinned versions know no later Python; the newest releases may.
before := $(if $(CONSTRAINTS),(3$(comma) 14),(4$(comma) 0))
# What a lesson starts with `!` (torchrun, say) is then found in the environment too.
in_venv := exec env PATH="$(CURDIR)/.venv/bin:$$PATH"
# Results must not depend on how many cores are free.
one_thread := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
# Jupyter refuses to start for root, which is what containers run as, unless it is told.
allow_root := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help lab test env lessons site bench shots publish clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

lab: $(installed) ## open JupyterLab at the first lesson, in your own copy of the lessons
	@$(python) tools/working_copy.py "$(LESSONS_COPY)"
	@$(in_venv) $(python) -m jupyterlab --ServerApp.ip=127.0.0.1 \
	    --ServerApp.root_dir="$(LESSONS_COPY)" --LabApp.default_url=/lab/tree/00_start_here.ipynb \
	    --ServerApp.kernel_websocket_connection_class=course_utils.server.PromptConnection \
	    $(allow_root) $(ARGS)

test: $(installed) ## run every test (ARGS goes to pytest)
	$(in_venv) $(one_thread) $(python) -m pytest $(ARGS)

env: $(installed) ## make the environment in .venv and stop there

lessons: $(installed) ## execute the lessons from notebooks/source (ARGS names some of them)
	$(in_venv) $(one_thread) $(python) tools/lessons.py run $(ARGS)

site: $(installed) ## build the course site into site/
	$(python) tools/course_site.py $(ARGS)

bench: $(installed) ## run the comparisons of benchmarks/ (ARGS names some of them)
	@$(python) -m pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[bench]' || \
	    echo "pip could not install all that benchmarks/ compares with; what is missing is left out."
	$(in_venv) $(one_thread) $(python) tools/bench.py $(ARGS)

shots: $(installed) ## photograph every lesson into shots/
	$(python) tools/shots.py $(ARGS)

publish: $(installed) ## write REPOSITORY=https://... into badges and set-up cells
	@test -n "$(REPOSITORY)" || { echo "say where: make publish REPOSITORY=https://..." >&2; exit 1; }
	$(python) tools/lessons.py publish "$(REPOSITORY)"

clean: ## remove all that make made, except your lessons in my_lessons/
	rm -rf .venv .cache .pytest_cache build dist shots site *.egg-info

# pip's own settings (index, wheel folders, certificates) hold here as everywhere. An empty
# CONSTRAINTS= installs the newest releases that pyproject.toml admits.
$(installed): pyproject.toml constraints.txt $(python)
	@echo "Making the environment in .venv: the first time, this takes a few minutes."
	@$(python) -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv
	@$(python) -m pip install $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[lab,test]' || { \
	    echo "pip could not make the environment; its reason stands above. The pinned versions are" \
	        "for Python 3.11 to 3.13, and this is $$($(python) --version 2>&1). For another one:" \
	        "make clean, then make lab PYTHON=python3.12" >&2; exit 1; }
	@touch $@

# Also made anew when the Python it was made from is gone.
$(python):
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < $(before))' 2>/dev/null || { \
	    echo "The lessons need Python 3.11 to 3.13, but $(PYTHON) is:" \
	        "$$("$(PYTHON)" --version 2>&1)" >&2; \
	    echo "Name another one, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear .venv
