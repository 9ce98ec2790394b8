#!/bin/sh
# Installs into a folder of its own, compiles the example by the line of the README, runs it, compares
# it with one linked statically, and runs the installed spor from an empty folder.
# usage: install.sh SOURCE BUILD; CC is the compiler
command -v pkg-config >/dev/null || { echo "no pkg-config: skipped"; exit 77; }
set -e
source=$1 build=$2
here=$(mktemp -d) && trap 'rm -rf "$here"' EXIT
DESTDIR=$here meson install -C "$build" --no-rebuild --quiet
library=$(dirname "$(find "$here" -name libspor.a)")
prefix=${library%/lib*}
sed -i "s|^prefix=.*|prefix=$prefix|" "$library/pkgconfig/spor.pc" # as if set up for this prefix
export PKG_CONFIG_PATH="$library/pkgconfig"
unset LD_LIBRARY_PATH
cd "$source"
line=$(grep '^cc -std=c17 tests/examples/digits.c' README.md)
eval "$(echo "$line" | sed "s|^cc|${CC:-cc}|; s|build/|$here/|g")" | tee "$here/shared.txt"
ldd "$here/digits" | grep -q "$library/libspor.so"
${CC:-cc} -std=c17 tests/examples/digits.c $(pkg-config --cflags spor) "$library/libspor.a" -lm -o "$here/static"
"$here/static" | cmp - "$here/shared.txt"
grep -Eq '^3[0-9][0-9] of 352 digits read right$' "$here/shared.txt"
test "$(pkg-config --modversion spor)" = "$("$prefix/bin/spor" --version | cut -d' ' -f2)"
mkdir "$here/empty" && cd "$here/empty"
SPOR_MODELS="$prefix/share/spor/models" "$prefix/bin/spor" show "$prefix/share/spor/models/densenet2_20.spor" >show.txt
grep -q 1930 show.txt
