#!/usr/bin/env bash
# apt-install.sh PACKAGE...: installs Debian packages, as root or through sudo; says what to do where it cannot.
set -euo pipefail

if ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get. Please install with its own package manager: $*" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
else
    echo "Missing packages. Please run as root: apt-get update && apt-get install -y $*" >&2
    exit 1
fi
echo "Installing Debian packages: $*"
# Without fresh lists a new machine finds nothing, or versions that are gone from the mirror.
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
