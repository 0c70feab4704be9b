#!/usr/bin/env bash
# fetch-wheel.sh REQUIREMENTS FOLDER: fetches the one wheel that REQUIREMENTS pins and unpacks it into FOLDER.
set -euo pipefail
requirements=$1
folder=$2

# A Debian python3 may come without pip; any interpreter that has it will do.
find_python() {
    for python in python3 python /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

if ! find_python; then
    "$(dirname "$0")/apt-install.sh" python3-pip
    find_python
fi

mkdir -p "$folder"
# Wheels only: a source package would run code of its own on this machine.
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --dest "$folder.wheel" -r "$requirements"
"$python" -m zipfile -e "$folder.wheel"/*.whl "$folder"
rm -rf "$folder.wheel"

# A wheel is a zip file and unpacks without its modes. Everybody may read it: the engine runs PostgreSQL as another
# user when it is root itself.
find "$folder" -type d -exec chmod 755 {} +
find "$folder" -type f -exec chmod 644 {} +
find "$folder" -type f -path '*/bin/*' -exec chmod 755 {} +
