#!/usr/bin/env bash
# docs.sh [--check]: writes the engine's own documents (OpenAPI, AsyncAPI) and the web client's types made from them.
# With --check it leaves them as they are, and fails when they are out of date. Asks the engine of PARLANCE_BIN where that
# is set, else builds one.
set -euo pipefail
cd "$(dirname "$0")/.."
generated=web/src/sdk/generated

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
mkdir -p "$generated"
cp -r "$generated/." "$before"

engine=(cargo run --quiet --locked --bin parlance --)
if [ -n "${PARLANCE_BIN:-}" ]; then engine=("$PARLANCE_BIN"); fi
for document in openapi asyncapi; do
    "${engine[@]}" docs "$document" >"$before/new"
    mv "$before/new" "$generated/$document.json"
done
(cd web && npm run --silent generate)

if [ "${1:-}" = --check ] && ! diff -r "$before" "$generated"; then
    cp -r "$before/." "$generated"
    echo "$generated does not match the engine any more. Run: make docs" >&2
    exit 1
fi
