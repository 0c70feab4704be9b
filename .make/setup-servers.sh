#!/usr/bin/env bash
# Makes sure that there are the servers that the tests meet beside the embedded one: the system's own PostgreSQL (Debian
# 12: 15), and PgBouncer.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
if ! .make/find-postgres.sh --debian >/dev/null 2>&1; then
    missing+=(postgresql)
fi
if ! command -v pgbouncer >/dev/null && [ ! -x /usr/sbin/pgbouncer ]; then
    missing+=(pgbouncer)
fi
if [ ${#missing[@]} -gt 0 ]; then
    .make/apt-install.sh "${missing[@]}"
fi
