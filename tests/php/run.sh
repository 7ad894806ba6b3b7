#!/usr/bin/env bash
# run.sh path/to/stormo: runs the tests of clients/php/Stormo.php, with php-curl if it is there, and without it. Without
# PHP it exits with 77, which ctest counts as skipped; if CI is set, it fails.
set -euo pipefail
stormo=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v php >/dev/null; then
  echo "PHP tests: no php here (./dev test installs it)" >&2
  [[ ${CI-} ]] && exit 1
  exit 77
fi
if [[ ${CI-} ]] && ! php -r 'exit(extension_loaded("curl") ? 0 : 1);'; then
  echo "PHP tests: no php-curl here" >&2
  exit 1
fi

php stormo_test.php "$stormo"
php -n stormo_test.php "$stormo"  # without the extensions that php.ini loads
