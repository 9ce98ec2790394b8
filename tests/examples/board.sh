#!/bin/sh
# A network for a board without an operating system: trained, exported as C, compiled for a Cortex-M4, and run in
# qemu's model of one, where it has to read a digit right. board.sh SPOR SOURCE [FOLDER]
set -eu
spor=$(realpath "$1")
source=$(realpath "$2")
for tool in arm-none-eabi-gcc qemu-system-arm; do
    if ! command -v "$tool" >/dev/null; then
        echo "not run: there is no $tool (Debian: gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm)"
        exit 77
    fi
done
work=${3:-$(mktemp -d)}
mkdir -p "$work"
cd "$work"

"$spor" train "$source/models/densenet2_20.spor" --out run --force >train.txt
# The last line of the digits is among those that test.
gzip -dc "$source/data/digits.csv.gz" | tail -1 |
    awk -F, '{ printf "#define DIGIT_SHOWN %d\n#define DIGIT_PIXELS ", $NF; for (k = 1; k < NF; k++) printf "%s%s", $k, k < NF - 1 ? ", " : "\n" }' >digit.h

board=$source/tests/examples/board
echo 'int quiet(const char *text, ...); int quiet(const char *text, ...) { return !text; }' >quiet.c
for numbers in "" --int8; do
    # shellcheck disable=SC2086 # one word, or none
    "$spor" export run --c net.c $numbers
    for unit in "-mfloat-abi=soft" "-mfloat-abi=hard -mfpu=fpv4-sp-d16"; do
        compile="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb $unit -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I. -nostartfiles -T $board/board.ld"
        run="timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native -kernel"
        $compile net.c "$board/digit.c" "$board/start.c" -o digit.elf
        arm-none-eabi-size digit.elf
        $run digit.elf
        $compile -DNET_SELFTEST -Dprintf=quiet net.c quiet.c "$board/start.c" -o selftest.elf
        $run selftest.elf
    done
done
