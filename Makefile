# Everything here runs on a fresh Debian 12 that has rustup's toolchain, make and a C linker.
# What is missing beyond that (the binaries of Postgres and MariaDB, systemd-analyze) is installed by
# `setup-tools`.

CARGO ?= cargo

.PHONY: help setup-tools build test test-crash test-drift test-schema test-mutants test-matrix bench bench-scaling bench-verify bench-micro bench-count demo lint doc ci clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r t d; do printf '  make %-13s %s\n' "$$t" "$$d"; done

setup-tools: ## install what the tests and the demo need (Debian packages: postgresql, mariadb-server-core, systemd)
	@scripts/setup-tools

build: ## build the release binary, target/release/cartage
	$(CARGO) build --release --locked

test: setup-tools ## run all tests; those that need servers start their own
	$(CARGO) test --locked --features switches

test-crash: setup-tools ## kill cartage a few hundred times, at each of its borders and at random moments, between all pairs of servers
	CARTAGE_CRASH_ROUNDS=$(or $(CARTAGE_CRASH_ROUNDS),4) \
	    $(CARGO) test --locked --features switches --test it -- crash:: mysql::kills:: --nocapture

test-drift: setup-tools ## change the target behind cartage's back, ten seeds of each pair of servers, and one byte in 3,000,000 rows
	CARTAGE_DRIFT_SEEDS=$(or $(CARTAGE_DRIFT_SEEDS),10) CARTAGE_DRIFT_ROWS=$(or $(CARTAGE_DRIFT_ROWS),3000000) \
	    $(CARGO) test --locked --features switches --test it -- drift:: --nocapture

test-schema: setup-tools ## alter the tables of both shops at random while customers buy and cartage is killed, ten seeds of each kind of source
	CARTAGE_SCHEMA_SEEDS=$(or $(CARTAGE_SCHEMA_SEEDS),10) \
	    $(CARGO) test --locked --features switches --test it -- altered:: --nocapture

test-mutants: setup-tools ## take out the answer to each hazard, one after another, and see its test fail
	$(CARGO) test --locked --features switches --test mutants

test-matrix: setup-tools ## run all tests against Postgres 14 to 18 and a MySQL 9, which are fetched; VERSIONS="14 mysql-9"
	scripts/test-matrix $(VERSIONS)

bench: ## measure cartage beside native replication and the servers' own tools, on this machine
	@scripts/setup-tools bench
	$(CARGO) bench --locked --bench peers

bench-scaling: ## measure how lanes, batches, hot carts and sizes matter, and draw docs/performance/*.svg
	@scripts/setup-tools bench
	CARTAGE_BENCH_PARTS=scaling $(CARGO) bench --locked --bench peers

bench-verify: ## measure how fast 1,000,000 carts are verified, and how much memory that takes
	@scripts/setup-tools bench
	CARTAGE_BENCH_PARTS=verify $(CARGO) bench --locked --bench peers

bench-micro: ## take the time of decoding, folding and mapping
	$(CARGO) bench --locked --bench micro

bench-count: ## count their instructions under valgrind, and compare with what is kept; KEEP=1 keeps the counts
	$(CARGO) bench --locked --bench micro -- --count $(if $(KEEP),--keep)

demo: ## migrate a simulated shop live, killing the daemon on the way, and compare every cart
	@scripts/setup-tools postgres
	$(CARGO) run --release --locked -- demo

lint: ## check formatting and lints, warnings being errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --all-features -- -D warnings

doc: ## build the documentation of the library, warnings being errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

ci: ## everything that must pass before a change lands
	.ci/run

clean: ## remove build results
	$(CARGO) clean
