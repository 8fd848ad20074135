#!/bin/sh
# Make .venv, and install in it what the requirements file named as argument lists.
# Does nothing when that is done already.
set -eu
cd "$(dirname "$0")/.."
requirements=${1:-requirements.txt}

fail() {
    echo "$*" >&2
    exit 1
}

# A name on the PATH can be a shim that has no Python behind it, so each is tried.
supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if ! supported .venv/bin/python; then
    for python in ${PYTHON:-} python3.13 python3.12 python3.11 python3 none; do
        supported "$python" && break
    done
    [ "$python" = none ] &&
        fail "Python 3.11, 3.12 or 3.13 is needed and none was found (on Debian: apt-get install python3 python3-venv). PYTHON=/path/to/python3 names one."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module (on Debian: apt-get install python3-venv)."
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear .venv || fail ".venv could not be made."
fi

# The development requirements begin with the others.
wanted=$(cat requirements.txt "$requirements" | cksum)
stamp=.venv/installed-$requirements
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing $requirements ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements" ||
        fail "$requirements could not be installed: see above. Without a network, point pip at a mirror or a folder of wheels (PIP_INDEX_URL, PIP_FIND_LINKS)."
    echo "$wanted" >"$stamp"
fi
