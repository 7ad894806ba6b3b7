#!/usr/bin/env bash
# check.sh FOLDER: checks the Debian packages in the folder with lintian, then installs, uses and removes them
# in a new Debian 12, which is deleted at the end. It needs root, or user namespaces, and Debian's archive.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t packages < <(ls "$1"/*.deb)
((${#packages[@]} == 2)) || { echo "check: there are ${#packages[@]} packages in $1, not 2" >&2; exit 1; }

echo "== lintian"
# The packages are not meant for Debian's archive, so their first version closes no bug there.
lintian --allow-root --fail-on error,warning --info --suppress-tags initial-upload-closes-no-bugs "${packages[@]}"

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
cp "${packages[@]}" packaging/check_inside.sh README.md "$files"
echo "== a new Debian 12"
# /dev/null: nothing is kept. The script runs while the new system has /proc and the archive.
mmdebstrap --quiet --variant=apt --setup-hook="mkdir -p \"\$1/check\"" \
  --customize-hook="copy-in $(printf '%q ' "$files"/*) /check" \
  --chrooted-customize-hook="bash /check/check_inside.sh" bookworm /dev/null
