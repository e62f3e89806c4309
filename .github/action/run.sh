#!/usr/bin/env bash
# One scan of what the event brings. All inputs come as environment variables; none is ever evaluated.
set -euo pipefail

args=(ci --mode "${INPUT_MODE:-auto}" --fail-on "${INPUT_FAIL_ON:-low}")

# Hands each line of $2 that is not empty to the option $1.
each_line() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        [ -z "$line" ] || args+=("$1" "$line")
    done <<<"$2"
}

each_line --rules "${INPUT_RULES:-}"
each_line --output "${INPUT_FORMATS:-sarif=signleak.sarif}"
[ -z "${INPUT_BASELINE:-}" ] || args+=(--baseline "$INPUT_BASELINE")
args+=(--)
while IFS= read -r path || [ -n "$path" ]; do
    path=${path%$'\r'}
    [ -z "$path" ] || args+=("$path")
done <<<"${INPUT_PATHS:-}"

exec "${SIGNLEAK_BIN:-signleak}" "${args[@]}"
