# The commands of this repository; CI runs the same ones (.ci/run is `make test`).
# A bare Debian machine with the Rust toolchain is enough: install.sh brings the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The pinned tools of install.sh before whatever the machine has.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

DEV := deploy/dev

# $(call section,Heading,command): prints the heading, runs the command, prints how long it took.
define section
	@printf '\n== %s\n' '$(1)'; $(2); printf '== %s: %s s\n' '$(1)' "$$SECONDS"
endef

.PHONY: help install demo story test chart image bundle cluster faults storm drills bench check fmt prepare servers clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

install:
	@$(DEV)/install.sh

demo: install ## The whole system on this machine: play the story, then stay up for browsing (Ctrl-C ends it)
	$(call section,Build,cargo build --workspace --bins)
	@exec target/debug/story --stay

story: install ## The same story for machines: play it, check every fact, stop (target/story/result.json)
	$(call section,Build,cargo build --workspace --bins)
	$(call section,Story,target/debug/story)

test: install ## Everything that CI checks
	$(call section,Format,cargo fmt --all --check)
	$(call section,Shell scripts,shellcheck -x .ci/run $(DEV)/*.sh deploy/kubernetes/*.sh deploy/bundle/*.sh)
	$(call section,Dependencies,cargo deny check -A unused-wrapper bans licenses sources)
	$(call section,Lints,cargo clippy --workspace --all-targets -- -D warnings)
	$(call section,Checked queries,$(DEV)/with-servers.sh $(DEV)/prepare.sh --check)
	$(call section,Build,cargo build --workspace --bins)
	@$(MAKE) --no-print-directory chart
	@$(DEV)/install.sh test
	$(call section,Tests,$(DEV)/with-servers.sh cargo nextest run --workspace --exclude simulation)
	$(call section,Simulation and model,cargo nextest run -p simulation --cargo-profile simulation)
	$(call section,Ten million timers,target/simulation/simulate --timers 10000000)
	$(call section,Examples in the documentation,$(DEV)/with-servers.sh cargo test --workspace --doc)
	@$(MAKE) --no-print-directory story

chart: ## Check the Helm chart, its rules, dashboards and manifests (ACCEPT=1 writes the golden files anew)
	@$(DEV)/install.sh chart
	$(call section,Build,cargo build --workspace --bins)
	$(call section,Chart,.tools/chart/bin/python $(DEV)/chart.py $(if $(ACCEPT),--accept))

image: install ## The image of all programs, built without a network and tried as a cluster runs it (as root)
	@$(DEV)/install.sh chart
	@$(DEV)/install.sh image
	$(call section,Image,.tools/image/bin/python -B $(DEV)/image)

bundle: install ## The image, and the bundle for a closed network (target/bundle)
	@$(DEV)/install.sh chart
	@$(DEV)/install.sh image
	$(call section,Bundle,.tools/image/bin/python -B $(DEV)/image bundle)

cluster: install ## Kubernetes of two nodes from its sources, and the bundle installed on it and tried (as root, after `make bundle`)
	@$(DEV)/install.sh chart
	@$(DEV)/install.sh cluster
	$(call section,Cluster,.tools/chart/bin/python -B $(DEV)/cluster)

faults: install ## The fault journey in full: 2,000 rectifications while every process is killed at random
	$(call section,Build,cargo build --workspace --bins)
	@DUDAO_FAULTS=2000 $(DEV)/with-servers.sh cargo nextest run --workspace --test faults --no-capture

storm: install ## The storm alone: 100,000 orders at one instant while replicas, database and broker are killed
	$(call section,Build,cargo build --workspace --bins)
	@cargo nextest run --workspace --test storm --no-capture

drills: install ## Every drill in full size (NAME=… for one): figures in target/drills/results.jsonl and in a table
	@$(DEV)/install.sh test
	$(call section,Build,cargo build --workspace --bins)
	@target/debug/drill run $(NAME) --results target/drills/results.jsonl

bench: install ## Figures on this machine beside their goals, with durable servers (target/bench/results.jsonl); asserts nothing
	@rm -f target/bench/results.jsonl
	@DURABLE=1 $(DEV)/with-servers.sh cargo bench -p messaging -p deadlines -p notifications -p documents-room \
		--bench throughput --bench storm --bench notices --bench render

check: install ## The quick look before a commit: format, scripts, lints
	$(call section,Format,cargo fmt --all --check)
	$(call section,Shell scripts,shellcheck -x .ci/run $(DEV)/*.sh deploy/kubernetes/*.sh deploy/bundle/*.sh)
	$(call section,Lints,cargo clippy --workspace --all-targets -- -D warnings)

fmt: ## Format the sources
	cargo fmt --all

prepare: install ## Record the checked queries anew (.sqlx), after a change of SQL or of a migration
	@$(DEV)/prepare.sh

servers: install ## PostgreSQL and nats-server for developers, on fixed ports, until `deploy/dev/dev-servers.sh stop`
	@$(DEV)/dev-servers.sh start
	@$(DEV)/dev-servers.sh env

clean: ## Stop the developers' servers, remove their data, the demo's and every build
	@$(DEV)/dev-servers.sh stop || true
	rm -rf .run
	cargo clean
