#!/bin/sh
# Is every C file as .clang-format says? Versions differ in detail: only 14 (Debian 12) is asked.
command -v clang-format >/dev/null || { echo "no clang-format: skipped"; exit 77; }
clang-format --version | grep -q 'version 14\.' || { echo "clang-format is not 14: skipped"; exit 77; }
cd "$SPOR_SOURCE" || exit 1
files=$(find include src ops tests -name '*.[ch]')
echo "$files" | xargs -n 8 -P 2 clang-format --dry-run -Werror && echo "$(echo "$files" | wc -l) files"
