#!/usr/bin/env bash
# measure-visibility.sh: what the policies of room-keyed tables cost, on a throwaway Postgres that writes as carefully as
# the engine's own. Prints medians in milliseconds; see migrations/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${PARLANCE_TEST_DATABASE_URL:-}" ]; then
    exec .make/with-postgres.sh --durable "$0"
fi

psql() { "$PARLANCE_TEST_POSTGRES_BIN/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }
database=${PARLANCE_TEST_DATABASE_URL/\/postgres?/\/visibility?}
psql "$PARLANCE_TEST_DATABASE_URL" -c 'CREATE ROLE parlance_reader_visibility' -c 'CREATE DATABASE visibility' \
    -c "ALTER DATABASE visibility SET parlance.reader_role = 'parlance_reader_visibility'"
for migration in migrations/*.sql; do
    psql "$database" --single-transaction -f "$migration" >/dev/null
done
psql "$database" -v reader=parlance_reader_visibility -f benches/visibility.sql
