# What developers type. `make` alone lists it; the scripts behind it are in .make.

# Queries are checked against .sqlx, never against a database that DATABASE_URL may happen to name.
export SQLX_OFFLINE := true
# Node.js that set-up installs where the system's is too old, and cargo where the shell has not been told of it.
export PATH := $(CURDIR)/.tools/node/bin:$(PATH):$(HOME)/.cargo/bin
# So many tests at a time, whatever the number of cores: one that waits (for a start, a socket, a timeout) leaves none idle.
export RUST_TEST_THREADS ?= 4

# Runs a command and notes how long it took.
STEP := .make/step.sh
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

.DEFAULT_GOAL := help
# apt-get, npm and cargo do not like company, and cargo uses all cores by itself.
.NOTPARALLEL:
.PHONY: help run build test proof lint fmt bench load sqlx docs setup clean build-tools postgres web chromium servers

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: setup ## install what is missing, build, and serve (more flags: make run ARGS="--port 9000")
	cargo build --profile quick --locked
	@exec $(TARGET)/quick/parlance serve $(ARGS)

build: build-tools web ## the release binary, target/release/parlance
	cargo build --release --locked

test: setup chromium servers ## what a change has to pass: the engine's tests, the web client's, and both together in a browser
	@$(STEP) "build with tests" cargo test --workspace --locked --no-run
	@$(STEP) "tests of the engine and the harness" .make/with-postgres.sh cargo test --workspace --locked
	@$(STEP) "tests on Debian's Postgres" .make/with-postgres.sh --debian cargo test --workspace --lib --locked -- own_postgres::rights
	@$(STEP) "tests of the web client" npm --prefix web test
	@$(STEP) "tests in a browser" .make/with-postgres.sh env PARLANCE_BIN=$(TARGET)/debug/parlance npm --prefix web run e2e

proof: setup servers ## longer than a change should wait: all tests on Debian's PostgreSQL 15, the HTTP contract, more seeds
	@$(STEP) "build" cargo build --workspace --locked
	@$(STEP) "all tests on Debian's Postgres" .make/with-postgres.sh --debian cargo test --workspace --lib --locked
	@$(STEP) "what is answered against the OpenAPI document" load-tests/http-contract.sh
	@$(STEP) "100 000 seeds of the simulation" cargo run --release --locked --package parlance-load -- replay --seeds 100000
	@$(STEP) "kept promises under faults, ten minutes" cargo run --release --locked --package parlance-load -- check --seconds 600

lint: setup ## formatting, compiler and style warnings, docs, licences, and that generated files are up to date
	@$(STEP) "formatting" cargo fmt --all --check
	@$(STEP) "warnings, queries" .make/sqlx.sh --check
	@$(STEP) "warnings" cargo clippy --workspace --all-targets --locked -- -D warnings
	@$(STEP) "the crates without what only tests see" cargo check --workspace --locked
	@$(STEP) "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --lib --no-deps --locked
	@$(STEP) "build with tests" cargo test --workspace --locked --no-run
	@$(STEP) "generated documents" env PARLANCE_BIN=$(TARGET)/debug/parlance .make/docs.sh --check
	@$(STEP) "licences" node .make/check-licences.mjs
	@$(STEP) "warnings of the web client" npm --prefix web run check

fmt: build-tools ## format the Rust code
	cargo fmt --all

bench: setup ## the benchmarks in benches/ (those that match: make bench ARGS=fence)
	cargo bench --locked --bench engine --no-run
	.make/with-postgres.sh --durable cargo bench --locked --bench engine -- $(ARGS)

load: setup ## load, limits and proof (load-tests/README.md): make load ARGS="fanout --in-flight 64"
	cargo build --release --locked --workspace
	$(TARGET)/release/parlance-load $(or $(ARGS),--help)

sqlx: setup ## after a change of a query or migration: rewrite .sqlx
	.make/sqlx.sh

docs: setup ## after a change of the protocol: rewrite the documents and types that the web client is built on
	.make/docs.sh

setup: build-tools postgres web ## install what is missing: the embedded Postgres, the web client's packages

clean: ## remove everything that was built or installed here; data/ stays
	rm -rf target web/dist web/test-results web/node_modules .tools

build-tools:
	@$(STEP) "set-up: C compiler" .make/setup-build.sh

postgres:
	@$(STEP) "set-up: Postgres" .make/setup-postgres.sh

web:
	@$(STEP) "set-up: web client" .make/setup-web.sh

chromium:
	@$(STEP) "set-up: Chromium" .make/setup-chromium.sh

servers:
	@$(STEP) "set-up: servers" .make/setup-servers.sh
