#!/usr/bin/env bash
# Makes sure that there is what compiles the engine: Rust, and a C compiler for a few of its dependencies.
set -euo pipefail

if ! command -v cargo >/dev/null; then
    echo "Rust is missing. Install it with rustup (https://rustup.rs), then try again." >&2
    exit 1
fi
if ! command -v cc >/dev/null; then
    "$(dirname "$0")/apt-install.sh" build-essential
fi
