# Everything is run from here; each target sets up what it needs, and what is set up already costs a moment.

PYTHON := .venv/bin/python

.PHONY: setup lint test coverage docs pages demo bench faults screenshots wheels clean

setup:
	@lab/setup.sh

# What submits is no script of its own: its test runs shellcheck.
lint: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --exclude 'jupyterhub_config\.py$$'
	.venv/bin/lint-imports
	cd job_client && ../.venv/bin/lint-imports
	shellcheck .ci/run $$(git ls-files '*.sh' ':!tests/data/golden/submission')

# Each process begins a lab of its own once it has a test that needs one; most of those wait most of the time, so
# there are more processes than processors.
# What pytest makes of the tests' files is kept for the next run, whatever the environment says.
test: setup
	PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest -n 6 --dist loadgroup --no-loadscope-reorder --durations 20

# Tests of the lab count no lines, so it needs none; Python takes twice as long meanwhile.
coverage: setup
	PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m 'not lab' --cov --cov-report=

# Every page anew, because Sphinx warns of a page only when it reads it. Links to other hosts are asked about only with
# CHECK_LINKS=1.
docs: setup
	$(PYTHON) -m sphinx -c docs -E -W --keep-going -n -q . build/docs
	$(if $(CHECK_LINKS),$(PYTHON) -m sphinx -c docs -b linkcheck -W --keep-going -q . build/links)
	@echo "Open index.html in build/docs."

# Whatever of the docs and examples is made from the code. Its tests say when that is needed.
pages: setup
	$(PYTHON) -m job_service.http.reference > docs/api.md
	$(PYTHON) -m slurm_ssh_spawner.hub.settings_page > docs/settings.md
	$(PYTHON) -m tests.support.log_lines > docs/log-lines.md
	$(PYTHON) -m tests.support.commands_page > docs/commands.md
	.venv/bin/jupyterhub-sites schema > examples/catalogue.schema.json
	sed -i '/<!-- reference -->/q' docs/catalogue.md
	.venv/bin/jupyterhub-sites schema --reference >> docs/catalogue.md

demo: setup
	$(PYTHON) -m lab.demo $(if $(CHECK),--check)

bench: setup
	$(PYTHON) -m benchmarks

faults: setup
	$(PYTHON) -m faults

screenshots: setup
	$(PYTHON) -m tests.lab.screenshots

# Needs a package index; `make wheels ROOTS="--root DIR"` tries the Python of a Debian tree too.
wheels: setup
	$(PYTHON) -m tests.wheels $(ROOTS)

# A lab that is up holds what this removes; its command line is made by `make setup`.
clean:
	for state in .lab .lab-test* .lab-bench .lab-faults .lab-screenshots; do \
		[ ! -e $$state ] || $(PYTHON) -m lab --state $$state down || exit 1; \
	done
	rm -rf .lab .lab-test* .lab-bench .lab-faults .lab-screenshots .setup .venv *.egg-info build dist
	rm -rf job_client/*.egg-info job_client/build job_client/.import_linter_cache
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
