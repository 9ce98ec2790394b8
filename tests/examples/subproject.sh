#!/bin/sh
# A project of its own uses spor as a Meson subproject, by a fallback dependency.
# usage: subproject.sh SOURCE
set -e
source=$1
here=$(mktemp -d) && trap 'rm -rf "$here"' EXIT
mkdir -p "$here/subprojects" "$here/data"
ln -s "$source" "$here/subprojects/spor"
cp "$source/tests/examples/digits.c" "$here/"
cp "$source/data/digits.csv.gz" "$here/data/"
cat > "$here/meson.build" <<'EOF'
project('user', 'c', default_options: ['c_std=c17', 'default_library=static'])
executable('digits', 'digits.c', dependencies: dependency('spor', fallback: ['spor', 'spor_dep']))
EOF
cd "$here"
meson setup build -Dbuildtype=plain >setup.txt 2>&1 || { cat setup.txt; exit 1; }
ninja -C build digits >ninja.txt 2>&1 || { cat ninja.txt; exit 1; }
build/digits | tee digits.txt
grep -Eq '^3[0-9][0-9] of 352 digits read right$' digits.txt
