#!/bin/sh
# Is every C file as .clang-format says? Versions differ in detail, so that only 14 (Debian 12) is asked.
command -v clang-format >/dev/null || { echo "no clang-format: skipped"; exit 77; }
clang-format --version | grep -q 'version 14\.' || { echo "clang-format is not 14: skipped"; exit 77; }
cd "$SPOR_SOURCE" || exit 1
find include src ops tests -name '*.[ch]' | sort > "${TMPDIR:-/tmp}/spor-format.$$"
trap 'rm -f "${TMPDIR:-/tmp}/spor-format.$$"' EXIT
xargs clang-format --dry-run -Werror < "${TMPDIR:-/tmp}/spor-format.$$" || exit 1
echo "$(wc -l < "${TMPDIR:-/tmp}/spor-format.$$") files are formatted"
