#!/usr/bin/env bash
# step.sh NAME COMMAND...: runs COMMAND, and notes how long it took where PARLANCE_STEPS says (.ci/run prints that).
set -uo pipefail
name=$1
shift
"$@"
code=$?
if [ -n "${PARLANCE_STEPS:-}" ]; then
    printf '%s\t%s\t%s\n' $((SECONDS)) "$code" "$name" >>"$PARLANCE_STEPS"
fi
exit $code
