# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# `make demo` shows the collection at work, `make test` proves it. Both do their own set-up: they need
# Python >= 3.11 with venv, git and make, and write only below this folder.

PYTHON ?=
VENV := .venv
COLLECTIONS := $(VENV)/collections
COLLECTION := $(COLLECTIONS)/ansible_collections/mailroom/erp
CORES ?= 2
FUZZ_SECONDS ?= 300
FUZZ_ANSWERS ?= 20000
FUZZ_FIRST ?= $(shell date +%s)000
MAKEFLAGS += --no-print-directory

# Absolute, quoted where a shell sees it: the checkout may lie below a path with spaces.
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(COLLECTIONS)
# Debian puts named where a user's PATH may not look.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH):/usr/sbin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A user's own Ansible settings must not decide what the tests see.
unexport ANSIBLE_INVENTORY ANSIBLE_VAULT_PASSWORD_FILE ANSIBLE_STDOUT_CALLBACK ANSIBLE_ROLES_PATH PYTHONPATH
# Tests start thousands of processes; what Python compiled for the first serves the others.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo clean-demo test lint docs-lint sanity molecule unit integration contention benchmark pytest test-matrix
.PHONY: crowds faults slow
.PHONY: benchmark-scale benchmark-site benchmark-zonefiles benchmark-probe benchmark-reports clean servers a11y browser
.PHONY: benchmark-adopt benchmark-boundary benchmark-round-trips benchmark-verify receiver mail-servers fuzz octodns-classes importer
.PHONY: execution-environment artifact awx-modules benchmark-costs docs
.NOTPARALLEL:

help:
	@echo 'make demo         nine ERP environments of five systems get settings, records, a tenant (in build/demo)'
	@echo 'make test         lint docs-lint molecule importer, and all tests but those of contention'
	@echo 'make sanity       ansible-test sanity, which takes five minutes of one core'
	@echo 'make contention   the slow tests: crowds (32 writers at once), faults (runs that die or lose their server at any step),'
	@echo '                  slow (2,000 domains and the like)'
	@echo 'make a11y         the sheets in a real browser, judged by axe-core (needs Chromium)'
	@echo 'make receiver     real messages to a mail server that enforces SPF, DKIM and DMARC, against the verdicts (root)'
	@echo 'make test-matrix  unit, integration and sanity tests on every ansible-core that the collection promises'
	@echo 'make benchmark    what an unchanged task costs, what 10,000 verdicts cost, and SPF beside other libraries'
	@echo 'make fuzz         hostile DNS answers for FUZZ_SECONDS (300), guided by coverage; FUZZ_ANSWERS (20000) odd ones per API'
	@echo 'make octodns-classes  the octoDNS accounts of docs/providers.md with the newest classes (downloads 200 MB)'
	@echo 'make benchmark-costs   what 1,000 environments cost at BIND, Cloudflare, TransIP and in tenants: docs/scale.md'
	@echo 'make awx-modules   what examples/awx configures AWX with, against the modules of awx.awx (downloads 60 MB)'
	@echo 'make benchmark-scale   thousands of zones, beside nsupdate, octoDNS and a bare script'
	@echo 'make benchmark-site    hundreds of environments by the playbook site, beside the build before it worked on the play'
	@echo 'make benchmark-zonefiles  a folder of 20,000 zone files, and 2,000 beside an older build'
	@echo 'make benchmark-probe     300 environments on 40 mail servers, beside sslyze'
	@echo 'make benchmark-verify   a night of verify for 300 customers with 900 domains, beside checkdmarc'
	@echo 'make benchmark-boundary   what a run for one of 300 customers pays for its boundary, beside an older build'
	@echo 'make benchmark-adopt   500 odd zones adopted from one BIND, beside octodns-dump'
	@echo 'make benchmark-round-trips   what comes back of the same zones from adopt, octoDNS and zone tools'
	@echo 'make benchmark-reports  aggregate reports beside parsedmarc: the same figures, and what they cost'
	@echo 'make docs         a site of all pages and of the reference (in build/docs/html)'
	@echo 'make importer     the artifact as galaxy.ansible.com judges it on an upload'
	@echo 'make execution-environment  what ansible-builder would install, in an empty environment, and site in it'
	@echo 'make artifact     the artifact of the last commit, with its checksum (in build/artifact)'
	@echo 'make clean-demo   back to the first run of the demo'
	@echo 'make clean        also removes the virtual environments'

# --- set-up ---------------------------------------------------------------------------------------------------------

$(VENV)/python.stamp:
	@found=; for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11); do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then found="$$python"; break; fi; done; \
	if [ -z "$$found" ]; then echo 'No Python >= 3.11 with venv and ensurepip was found on PATH.' \
	  'Install one (Debian: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3' >&2; exit 1; fi; \
	rm -rf $(VENV) && "$$found" -m venv $(VENV)
	@touch $@

$(VENV)/demo.stamp: $(VENV)/python.stamp requirements.txt requirements-entra.txt
	@echo 'Installing what the collection needs into $(VENV) ...'
	@$(VENV)/bin/python -m pip install -qq -r requirements.txt -r requirements-entra.txt 'ansible-core>=2.18'
	@mkdir -p $(dir $(COLLECTION)) && ln -sfn ../../../.. $(COLLECTION)
	@touch $@

$(VENV)/test.stamp: $(VENV)/demo.stamp tests/requirements.txt
	@echo 'Installing what the tests need into $(VENV) ...'
	@$(VENV)/bin/python -m pip install -qq -r tests/requirements.txt
	@touch $@

# Says nothing when the programs of a group are there; the groups are a table in the tool.
DEBIAN_PACKAGES := $(VENV)/bin/python tests/tools/debian_packages.py

# The DNS tests run against real name servers, those of plans sign with OpenSSH.
servers: $(VENV)/python.stamp
	@$(DEBIAN_PACKAGES) dns-servers signatures

# --- demo -----------------------------------------------------------------------------------------------------------

build/demo: | $(VENV)/demo.stamp
	@mkdir -p build/demo.new
	@cp -R playbooks/demo/company/. build/demo.new && mv build/demo.new build/demo

# The tenant of the demo is a test tenant, which runs for as long as the playbook does and keeps its state in build/demo.
# Ansible keeps its temporary files here too, and leaves the user's home alone.
demo: export ANSIBLE_HOME := $(CURDIR)/$(VENV)/ansible
demo: export ANSIBLE_REMOTE_TMP := $(CURDIR)/$(VENV)/ansible/tmp
demo: $(VENV)/demo.stamp build/demo
	@cd build/demo && ANSIBLE_CONFIG="$(CURDIR)/build/demo/ansible.cfg" PYTHONPATH="$(ANSIBLE_COLLECTIONS_PATH)" \
	  "$(CURDIR)/$(VENV)/bin/python" -m ansible_collections.mailroom.erp.tests.servers.entra.demo tenant \
	  ansible-playbook mailroom.erp.demo.demo $(ARGS)

clean-demo:
	rm -rf build/demo build/demo.new

# --- tests ----------------------------------------------------------------------------------------------------------

# What takes one core goes on beside pytest, and comes in one piece.
test: $(VENV)/test.stamp servers
	@$(MAKE) -k lint docs-lint molecule importer >$(VENV)/judges.log 2>&1 & judges=$$!; \
	$(MAKE) pytest; tests=$$?; wait $$judges; judges=$$?; \
	if [ $$judges = 0 ]; then echo 'lint, docs-lint, molecule and importer passed ($(VENV)/judges.log)'; \
	else cat $(VENV)/judges.log; fi; exit $$((tests || judges))

lint: $(VENV)/test.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	cd $(COLLECTIONS) && mypy --config-file ansible_collections/mailroom/erp/pyproject.toml \
	  -p ansible_collections.mailroom.erp.plugins -p ansible_collections.mailroom.erp.tests
	cd $(COLLECTIONS) && lint-imports --no-logo ansible_collections/mailroom/erp/pyproject.toml
	$(VENV)/bin/antsibull-changelog lint
	$(VENV)/bin/reuse lint --lines
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/*/workflows/github.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml examples/*/workflows/gitlab.yml
	cd $(COLLECTION) && ansible-lint --profile production --offline

docs-lint: $(VENV)/test.stamp
	cd $(COLLECTION) && antsibull-docs lint-collection-docs --plugin-docs .

# Sphinx and its themes have a virtual environment of their own: what they want is pinned.
$(VENV)/docs.stamp: $(VENV)/demo.stamp docs/docsite/sphinx/requirements.txt
	@echo 'Installing what makes the site into $(VENV) ...'
	@$(VENV)/bin/python -m venv $(VENV)/docs
	@$(VENV)/docs/bin/python -m pip install -qq -r docs/docsite/sphinx/requirements.txt
	@touch $@

# Pages keep their places, so that their links lead to each other, and what else they link to is there. Any warning fails.
# ansible-doc finds no role where "ansible_collections" stands twice in a path, as in a second worktree.
SOURCE = build/docs/source
DOCUMENTED = $(wildcard *.md *.yml requirements*.txt) LICENSE LICENSES Makefile pyproject.toml \
  docs examples meta playbooks plugins roles
docs: export ANSIBLE_COLLECTIONS_PATH := $(if $(findstring /ansible_collections/,$(CURDIR)),$(abspath ../../..),$(CURDIR)/$(COLLECTIONS))
docs: $(VENV)/docs.stamp
	@rm -rf build/docs && mkdir -p $(SOURCE) && mkdir -m 700 $(SOURCE)/reference
	@cp -R docs/docsite/sphinx/conf.py docs/docsite/sphinx/index.rst $(DOCUMENTED) $(SOURCE)
	@PATH="$(CURDIR)/$(VENV)/docs/bin:$$PATH" $(VENV)/docs/bin/antsibull-docs collection --use-current --squash-hierarchy \
	  --fail-on-error --no-add-antsibull-docs-version --dest-dir $(SOURCE)/reference mailroom.erp
	@$(VENV)/docs/bin/sphinx-build -M html $(SOURCE) build/docs -q -W --keep-going -j $(CORES)
	@echo 'build/docs/html/index.html'

# galaxy-importer has a virtual environment of its own: its ansible-core is not ours.
$(VENV)/importer.stamp: $(VENV)/test.stamp tests/importer/requirements.txt
	@echo 'Installing the importer of Galaxy ...'
	@$(VENV)/bin/python -m venv $(VENV)/importer
	@$(VENV)/importer/bin/python -m pip install -qq -r tests/importer/requirements.txt
	@touch $@

# Galaxy only warns of what ansible-lint finds, and `make lint` is stricter; so that half minute is saved here.
importer: export GALAXY_IMPORTER_RUN_ANSIBLE_LINT := false
importer: $(VENV)/importer.stamp
	@rm -rf build/importer && mkdir -p build/importer
	@$(VENV)/bin/ansible-galaxy collection build --output-path build/importer
	@cd build/importer && PATH="$(CURDIR)/$(VENV)/importer/bin:$$PATH" \
	  python -m galaxy_importer.main mailroom-erp-*.tar.gz >importer.log || { cat importer.log; exit 1; }
	@! grep -E '^(WARNING|ERROR)' build/importer/importer.log
	@tail -n 1 build/importer/importer.log

$(VENV)/builder.stamp: $(VENV)/test.stamp tests/execution_environment/requirements.txt
	@$(VENV)/bin/python -m pip install -qq -r tests/execution_environment/requirements.txt
	@touch $@

execution-environment: $(VENV)/builder.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python -m pytest tests/execution_environment $(ARGS)

# What is released: built from the last commit alone, whatever else lies in this folder.
artifact: $(VENV)/demo.stamp
	@rm -rf build/artifact && mkdir -p build/artifact/tree
	@git archive HEAD | tar -x -C build/artifact/tree
	@$(VENV)/bin/ansible-galaxy collection build build/artifact/tree --output-path build/artifact
	@rm -rf build/artifact/tree
	@cd build/artifact && sha256sum mailroom-erp-*.tar.gz >SHA256SUMS && cat SHA256SUMS

sanity: $(VENV)/test.stamp
	$(VENV)/bin/python tests/tools/sanity.py

molecule: $(VENV)/test.stamp
	cd $(COLLECTION) && molecule test --all --exclude default

# Playbooks stand first in the list and are slow: a worker without work takes some of those that the other one has left.
PYTEST = PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python -m pytest -n $(CORES) --dist worksteal \
  --durations=15 --durations-min=5

pytest: $(VENV)/test.stamp servers
	$(PYTEST) -m 'not slow' tests/unit tests/integration

unit: $(VENV)/test.stamp servers
	$(PYTEST) tests/unit $(ARGS)

integration: $(VENV)/test.stamp servers
	$(PYTEST) tests/integration $(ARGS)

# The pages of the sheets, in a browser of the system.
browser: $(VENV)/python.stamp
	@$(DEBIAN_PACKAGES) browser

$(VENV)/a11y.stamp: $(VENV)/test.stamp tests/a11y/requirements.txt
	@$(VENV)/bin/python -m pip install -qq -r tests/a11y/requirements.txt
	@touch $@

a11y: $(VENV)/a11y.stamp browser
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python -m pytest tests/a11y

# A mail server that enforces, and the name servers that it asks.
mail-servers: $(VENV)/python.stamp
	@$(DEBIAN_PACKAGES) dns-servers mail-servers

$(VENV)/receiver.stamp: $(VENV)/test.stamp tests/receiver/requirements.txt
	@$(VENV)/bin/python -m pip install -qq -r tests/receiver/requirements.txt
	@touch $@

# trytond has a virtual environment of its own: its libraries are not ours.
$(VENV)/tryton.stamp: $(VENV)/test.stamp tests/receiver/tryton-requirements.txt
	@$(VENV)/bin/python -m venv $(VENV)/tryton
	@$(VENV)/tryton/bin/python -m pip install -qq -r tests/receiver/tryton-requirements.txt
	@touch $@

# Debian installs no Exim beside Postfix, so it is unpacked; where that cannot be done, its tests are skipped.
$(VENV)/exim.stamp: $(VENV)/test.stamp
	@rm -rf $(VENV)/exim && mkdir -p $(VENV)/exim
	@cd $(VENV)/exim && for package in exim4-daemon-light libidn12 libgnutls-dane0 libunbound8; do \
	  apt-get download -qq $$package 2>/dev/null || echo "apt-get cannot download $$package" >&2; done; \
	  for package in *.deb; do [ ! -e "$$package" ] || dpkg-deb --extract "$$package" .; done
	@touch $@

receiver: mail-servers $(VENV)/receiver.stamp $(VENV)/tryton.stamp $(VENV)/exim.stamp
	MAILROOM_TRYTON="$(CURDIR)/$(VENV)/tryton" MAILROOM_EXIM="$(CURDIR)/$(VENV)/exim" PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/receiver/namespace.py \
	  $(VENV)/bin/python -m pytest -s tests/receiver $(ARGS)

contention: crowds faults slow

# What is promised of some services rests on time: the writers of one test are enough at once.
crowds: $(VENV)/test.stamp servers
	$(PYTEST) -n 0 -s tests/contention

faults: $(VENV)/test.stamp servers
	$(PYTEST) tests/faults

slow: $(VENV)/test.stamp servers
	$(PYTEST) -m slow tests/unit tests/integration $(ARGS)

$(VENV)/fuzz.stamp: $(VENV)/test.stamp tests/fuzz/requirements.txt
	@$(VENV)/bin/python -m pip install -qq -r tests/fuzz/requirements.txt
	@touch $@

# What the first finds stays in build/fuzz, and goes into tests/fuzz/found_dns once it is mended. The second tries other cases
# each time, and one that fails names its FUZZ_FIRST; what it found becomes a row of the table beside its test.
fuzz: $(VENV)/fuzz.stamp
	@mkdir -p build/fuzz
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/fuzz/fuzz_spf.py \
	  -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $(ARGS)
	FUZZ_FIRST=$(FUZZ_FIRST) FUZZ_ANSWERS=$(FUZZ_ANSWERS) $(PYTEST) -o faulthandler_timeout=0 tests/unit -k mutated

# The classes have an environment of their own: their libraries are large, and not ours.
$(VENV)/octodns.stamp: $(VENV)/test.stamp tests/octodns/requirements.txt
	@$(VENV)/bin/python -m venv $(VENV)/octodns
	@$(VENV)/octodns/bin/python -m pip install -qq -U -r tests/octodns/requirements.txt
	@touch $@

octodns-classes: $(VENV)/octodns.stamp
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/octodns/bin/python -m pytest tests/octodns $(ARGS)

# The collection awx.awx, out of a package that holds many; nothing of it is installed.
$(VENV)/awx.stamp: $(VENV)/test.stamp tests/awx/requirements.txt
	@echo 'Downloading the modules for AWX ...'
	@rm -rf $(VENV)/awx && mkdir -p $(VENV)/awx
	@$(VENV)/bin/python -m pip download -qq --no-deps --dest $(VENV)/awx -r tests/awx/requirements.txt
	@cd $(VENV)/awx && ../bin/python -c 'import glob, zipfile; whole = zipfile.ZipFile(glob.glob("*.whl")[0]); \
	  whole.extractall(members=[name for name in whole.namelist() if name.startswith("ansible_collections/awx/")])' && rm *.whl
	@touch $@

awx-modules: $(VENV)/awx.stamp
	AWX_COLLECTIONS="$(CURDIR)/$(VENV)/awx" $(VENV)/bin/python -m pytest tests/awx $(ARGS)

# What a task costs beside an empty one, and an SPF evaluation beside other libraries; prints ratios, judges nothing.
benchmark: $(VENV)/test.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/task_cost.py
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/judged_domains.py
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/spf_evaluation.py

# Beside nsupdate in a loop, octoDNS and a bare script; takes a quarter of an hour. ARGS='--zones 200 --latency 0' less.
$(VENV)/scale.stamp: $(VENV)/test.stamp tests/benchmarks/requirements.txt tests/benchmarks/community_general.py
	@echo 'Downloading what the benchmark compares with into $(VENV) ...'
	@$(VENV)/bin/python tests/benchmarks/community_general.py $(VENV)/benchmark
	@touch $@

benchmark-scale: $(VENV)/scale.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" BENCHMARK_COLLECTIONS="$(CURDIR)/$(VENV)/benchmark" \
	  $(VENV)/bin/python tests/benchmarks/scale.py $(ARGS)

# The playbook site for hundreds of environments, as it was and as it is: ARGS='--hosts 300 --more 3000'. Ten minutes.
benchmark-site: $(VENV)/test.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/environments.py $(ARGS)

# 500 odd zones of one BIND, beside octodns-dump with 16 workers.
benchmark-adopt: $(VENV)/test.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/adopted_zones.py $(ARGS)

benchmark-round-trips: $(VENV)/test.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/zone_round_trips.py $(ARGS)

# Requests, processor time and memory for 1,000 environments, at two sizes: ARGS='--service bind'. A quarter of an hour.
benchmark-costs: $(VENV)/test.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/scale_costs.py $(ARGS)

benchmark-zonefiles: $(VENV)/test.stamp
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/zone_files.py $(ARGS)

# One run takes a quarter of an hour, nearly all of it checkdmarc's: ARGS='--customers 30' is enough for a first look.
benchmark-verify: $(VENV)/test.stamp servers
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/verified_estate.py $(ARGS)

benchmark-boundary: $(VENV)/test.stamp
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/customer_boundary.py $(ARGS)

# sslyze has a virtual environment of its own: its libraries are not ours.
$(VENV)/sslyze.stamp: $(VENV)/test.stamp tests/benchmarks/sslyze-requirements.txt
	@$(VENV)/bin/python -m venv $(VENV)/sslyze
	@$(VENV)/sslyze/bin/python -m pip install -qq -r tests/benchmarks/sslyze-requirements.txt
	@touch $@

benchmark-probe: $(VENV)/sslyze.stamp
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/probed_servers.py \
	  --sslyze "$(CURDIR)/$(VENV)/sslyze/bin/sslyze"

# parsedmarc has a virtual environment of its own. PARSEDMARC_SAMPLES names the folder samples of a checkout of it.
$(VENV)/parsedmarc.stamp: $(VENV)/test.stamp tests/benchmarks/parsedmarc-requirements.txt
	@$(VENV)/bin/python -m venv $(VENV)/parsedmarc
	@$(VENV)/parsedmarc/bin/python -m pip install -qq -r tests/benchmarks/parsedmarc-requirements.txt
	@touch $@

benchmark-reports: export PARSEDMARC_PYTHON := $(CURDIR)/$(VENV)/parsedmarc/bin/python
benchmark-reports: $(VENV)/parsedmarc.stamp
	$(PYTEST) -n 0 tests/unit/dmarc_reports/test_parsedmarc_equality.py
	PYTHONPATH="$(CURDIR)/$(COLLECTIONS)" $(VENV)/bin/python tests/benchmarks/aggregate_reports.py \
	  --parsedmarc "$(PARSEDMARC_PYTHON)" $(ARGS)

test-matrix: $(VENV)/python.stamp servers
	$(VENV)/bin/python tests/tools/matrix.py $(ARGS)

clean: clean-demo
	rm -rf $(VENV) .venv-matrix .hypothesis .mypy_cache .pytest_cache .ruff_cache .ansible tests/output
	rm -f mailroom-erp-*.tar.gz
