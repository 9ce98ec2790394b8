#!/bin/sh
# Installs into a prefix of its own, compiles the example with pkg-config, runs it against the shared
# and the static library, and runs the installed spor from an empty folder.
# usage: install.sh SOURCE BUILD
command -v pkg-config >/dev/null || { echo "no pkg-config: skipped"; exit 77; }
set -e
source=$1 build=$2
here=$(mktemp -d) && trap 'rm -rf "$here"' EXIT
DESTDIR=$here meson install -C "$build" --no-rebuild --quiet
library=$(dirname "$(find "$here" -name spor.pc)")/..
prefix=${library%/lib*}
export PKG_CONFIG_PATH="$library/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$here" LD_LIBRARY_PATH="$library"
${CC:-cc} -std=c17 "$source/tests/examples/digits.c" $(pkg-config --cflags --libs spor) -o "$here/digits"
${CC:-cc} -std=c17 "$source/tests/examples/digits.c" $(pkg-config --cflags spor) "$library/libspor.a" \
    -lm -lpthread -o "$here/static"
cd "$source"
"$here/digits" | tee "$here/shared.txt"
"$here/static" | cmp - "$here/shared.txt"
grep -Eq '^3[0-9][0-9] of 352 digits read right$' "$here/shared.txt"
test "$(pkg-config --modversion spor)" = "$("$prefix/bin/spor" --version | cut -d' ' -f2)"
mkdir "$here/empty" && cd "$here/empty"
SPOR_MODELS="$prefix/share/spor/models" "$prefix/bin/spor" show "$prefix/share/spor/models/densenet2_20.spor" >show.txt
grep -q 1930 show.txt
