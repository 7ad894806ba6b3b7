#!/usr/bin/env bash
# run.sh path/to/stormo [file...]: runs these tests, and those of web/, in Node and in Debian's Chromium. Without
# Chromium, Node or npm it exits with 77, which ctest counts as skipped; if CI is set, it fails.
set -euo pipefail
export STORMO
STORMO=$(realpath "$1")
shift
cd "$(dirname "${BASH_SOURCE[0]}")"

missing=()
for command in chromium node npm; do command -v "$command" >/dev/null || missing+=("$command"); done
if ((${#missing[@]})); then
  echo "browser tests: no ${missing[*]} here (./dev test installs them)" >&2
  [[ ${CI-} ]] && exit 1
  exit 77
fi

export CHROMIUM
CHROMIUM=$(command -v chromium)
# playwright-core and ws, in the versions of the lock file.
[[ node_modules/.package-lock.json -nt package-lock.json ]] ||
  npm ci --ignore-scripts --no-audit --no-fund
(($#)) && exec node --test "$@"
exec npm test --silent
