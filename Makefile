# What developers type. `make` alone lists it; the scripts behind it are in .make.

# Queries are checked against .sqlx, never against a database that DATABASE_URL may happen to name.
export SQLX_OFFLINE := true
# Node.js that set-up installs where the system's is too old, and cargo where the shell has not been told of it.
export PATH := $(CURDIR)/.tools/node/bin:$(PATH):$(HOME)/.cargo/bin

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

.DEFAULT_GOAL := help
# apt-get, npm and cargo do not like company, and cargo uses all cores by itself.
.NOTPARALLEL:
.PHONY: help run build test proof lint fmt bench load sqlx docs setup clean build-tools postgres web chromium servers

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: setup build ## install what is missing, build, and serve (more flags: make run ARGS="--port 9000")
	@exec $(TARGET)/release/parlance serve $(ARGS)

build: build-tools web ## the release binary, target/release/parlance
	cargo build --release --locked

test: setup chromium servers ## all tests: the engine's, the web client's, and both together in a browser
	cargo build --workspace --locked
	.make/with-postgres.sh cargo test --workspace --locked
	.make/with-postgres.sh --debian cargo test --workspace --lib --locked -- own_postgres::rights
	cd web && npm test
	cd web && PARLANCE_BIN=$(TARGET)/debug/parlance npm run e2e

proof: setup servers ## longer than a change should wait: every test against the system's own PostgreSQL (Debian's 15)
	cargo build --workspace --locked
	.make/with-postgres.sh --debian cargo test --workspace --lib --locked

lint: setup ## formatting, compiler and style warnings, docs, licences, and that generated files are up to date
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	.make/sqlx.sh --check
	.make/docs.sh --check
	node .make/check-licences.mjs
	cd web && npm run check

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
	@.make/setup-build.sh

postgres:
	@.make/setup-postgres.sh

web:
	@.make/setup-web.sh

chromium:
	@.make/setup-chromium.sh

servers:
	@.make/setup-servers.sh
