#!/usr/bin/env bash
# Makes sure that there is a Chromium for the browser tests.
set -euo pipefail

if ! command -v chromium >/dev/null; then
    # Without any font Chromium draws no text, and tests that click on it fail.
    "$(dirname "$0")/apt-install.sh" chromium fonts-liberation
fi
chromium --version >/dev/null 2>&1 || {
    echo "The tests need a working chromium in PATH." >&2
    exit 1
}
