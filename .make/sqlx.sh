#!/usr/bin/env bash
# sqlx.sh [--check]: writes .sqlx, what the compiler knows of each query's columns, from a fresh database with all
# migrations. With --check it only compares, and fails when .sqlx is out of date. The pass of the compiler that describes
# the queries is clippy's, with the same flags as in `make lint`, so that there is no other one.
set -euo pipefail
cd "$(dirname "$0")/.."

inputs() {
    { find migrations src load-tests .sqlx Cargo.lock -type f 2>/dev/null || true; } | sort | xargs sha256sum | sha256sum
}
checked=target/sqlx-checked
strict=()
if [ "${1:-}" = --check ]; then strict=(-D warnings); fi
if [ "${1:-}" = --check ] && [ "$(cat $checked 2>/dev/null)" = "$(inputs)" ]; then
    exit 0
fi
if [ -z "${PARLANCE_TEST_DATABASE_URL:-}" ]; then
    exec .make/with-postgres.sh "$0" "$@"
fi

psql() { "$PARLANCE_TEST_POSTGRES_BIN/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }
DATABASE_URL=${PARLANCE_TEST_DATABASE_URL/\/postgres?/\/queries?}
export DATABASE_URL
psql "$PARLANCE_TEST_DATABASE_URL" -c 'CREATE ROLE parlance_reader_queries' -c 'CREATE DATABASE queries'
psql "$PARLANCE_TEST_DATABASE_URL" -c "ALTER DATABASE queries SET parlance.reader_role = 'parlance_reader_queries'"
for migration in migrations/*.sql; do
    # As the engine does it: each file whole, in a transaction.
    psql "$DATABASE_URL" --single-transaction -f "$migration" >/dev/null
done

# Only what the compiler writes now is kept, so a query that is gone leaves nothing behind.
fresh=$PWD/target/sqlx-queries
rm -rf "$fresh"
mkdir -p "$fresh" .sqlx

# A query is described when its macro is expanded, so every crate that may have one has to be compiled anew. The times
# are put back afterwards, or the next build would take all of them for changed.
times=$(mktemp -d)
roots=(src/*/lib.rs src/*/main.rs load-tests/src/*.rs)
restore() {
    for number in "${!roots[@]}"; do
        if [ -f "$times/$number" ]; then touch -r "$times/$number" "${roots[$number]}"; fi
    done
    rm -rf "$times"
}
trap restore EXIT
for number in "${!roots[@]}"; do
    if [ -f "${roots[$number]}" ]; then
        touch -r "${roots[$number]}" "$times/$number"
        touch "${roots[$number]}"
    fi
done
SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$fresh cargo clippy --quiet --workspace --all-targets --locked -- ${strict[@]+"${strict[@]}"}

if [ "${1:-}" = --check ]; then
    if ! diff -r .sqlx "$fresh"; then
        echo ".sqlx does not match the queries and migrations any more. Run: make sqlx" >&2
        exit 1
    fi
else
    rm -rf .sqlx
    mv "$fresh" .sqlx
    echo "Wrote $(find .sqlx -type f | wc -l) queries to .sqlx"
fi
inputs >$checked
