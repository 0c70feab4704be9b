#!/usr/bin/env bash
# http-contract.sh [--cases N] [--seed N]: is what the OpenAPI document says what the engine answers?
#
# Starts an engine on a data folder and a port of its own, generates requests from its own document with schemathesis, those
# that fit it and those that do not, and checks every answer against it. Exits with 1 when anything differs, and prints the
# request as a curl command. --cases is how many requests there are at least (3000), --seed repeats a run.
#
#   PARLANCE_BIN             the engine (target/debug/parlance, else target/release/parlance)
#   PARLANCE_CONTRACT_VENV   where schemathesis is installed once (target/http-contract)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

cases=3000
seed=$((RANDOM * 32768 + RANDOM))
while [ $# -gt 0 ]; do
    case $1 in
    --cases) cases=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    *) sed -n 's/^# \{0,1\}//;2,9p' "$0" >&2 && exit 2 ;;
    esac
done

target=${CARGO_TARGET_DIR:-$root/target}
engine=${PARLANCE_BIN:-}
for built in "$target/debug/parlance" "$target/release/parlance"; do
    if [ -z "$engine" ] && [ -x "$built" ]; then engine=$built; fi
done
engine=$(realpath -m "$engine")
[ -x "$engine" ] || { echo "There is no engine yet: cargo build, or set PARLANCE_BIN." >&2 && exit 2; }

# Pinned, with everything that it needs: another version finds other things.
venv=$(realpath -m "${PARLANCE_CONTRACT_VENV:-$target/http-contract}")
if ! cmp -s "$here/http-contract.txt" "$venv/installed.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/http-contract.txt"
    cp "$here/http-contract.txt" "$venv/installed.txt"
fi

work=$(mktemp -d /tmp/parlance-contract.XXXXXX)
chmod 755 "$work"
pid=
stop() {
    if [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null; then wait "$pid" || true; fi
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# Nothing but the contract may refuse: no limits of what one account may do, and tokens that outlive the run.
limits() {
    for limit in messages_burst messages_per_minute bytes_burst bytes_per_minute rooms_burst rooms_per_hour people_burst \
        people_per_hour; do
        printf 'PARLANCE__LIMITS__%s=100000000\n' "${limit^^}"
    done
    for limit in login_per_address_per_minute login_per_account_and_address_per_minute login_per_account_per_minute \
        login_per_device_per_minute password_per_account_per_minute register_per_address_per_hour \
        refresh_per_address_per_minute; do
        printf 'PARLANCE__AUTH__%s=1000000\n' "${limit^^}"
    done
    printf 'PARLANCE__AUTH__%s\n' ACCESS_TOKEN_S=7200 ARGON2_MEMORY_KIB=8 ARGON2_PASSES=1
    printf 'PARLANCE__DEMO__ENABLED=false\n'
}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port
mapfile -t settings < <(limits)
(cd "$root" && exec env -u DATABASE_URL "${settings[@]}" "$engine" serve --host 127.0.0.1 --port "$port" --data-dir "$work/data") \
    >"$work/engine.log" 2>&1 &
pid=$!
for _ in $(seq 600); do
    if curl -fsS "$base/readyz" >/dev/null 2>&1; then break; fi
    kill -0 "$pid" 2>/dev/null || { cat "$work/engine.log" >&2 && exit 1; }
    sleep 0.1
done

# An admin, two others, and something under each id. The files of parameters name what is there.
"$venv/bin/python" "$here/http-contract.py" "$base" "$work" prepare
env -u DATABASE_URL "$engine" --data-dir "$work/data" users set-role contract-admin admin >/dev/null

"$venv/bin/python" "$here/http-contract.py" "$base" "$work" operations >"$work/operations"
each=$((cases / ($(cat "$work/operations") * 2) + 1)) # of the fuzzing phase; others come on top
failed=0
# run NAME ACCOUNT CONFIGURATION OPTIONS...
run() {
    local name=$1 account=$2 configuration=$3
    shift 3
    echo "== $name"
    # There, because it leaves files where it runs.
    (cd "$work" && exec "$venv/bin/st" --config-file "$configuration.toml" run "$base/docs/openapi.json" --url "$base/api/v1" \
        --header "Authorization: Bearer $(cat "$work/$account.token")" --request-timeout 30 --seed "$seed" --workers 2 \
        --max-examples "$each" --continue-on-failure --warnings off --report ndjson \
        --report-ndjson-path "$name.ndjson" "$@") || failed=1
}
# Signing out ends the token with which the others are made, and schemathesis tries ids that it has seen: apart, and last.
ends=(--exclude-path /auth/logout --exclude-path '/users/me/devices/{id}')
run admin contract-admin any "${ends[@]}"
run user contract-user made "${ends[@]}"
run devices contract-guest any --include-path '/users/me/devices/{id}'
run signing-out contract-leaver any --include-path /auth/logout

read -r made succeeded statuses < <("$venv/bin/python" "$here/http-contract.py" "$base" "$work" count)
echo "== $made requests, seed $seed; answers by status: $statuses"
curl -fsS "$base/readyz" >/dev/null || { echo "The engine is not ready any more." >&2 && failed=1; }
if grep -E '"level":"ERROR"| ERROR ' "$work/engine.log" >&2; then
    echo "The engine logged errors." >&2
    failed=1
fi
if [ "$made" -lt "$cases" ] || [ "$succeeded" -lt $((cases / 10)) ]; then
    echo "Fewer than $cases requests, or than a tenth of them with success: that proves too little." >&2
    failed=1
fi
exit "$failed"
