#!/bin/sh
# A network for a board without an operating system: trained, exported as C, compiled for a Cortex-M4, and run in
# qemu's model of one, where it has to read a digit right, and to learn to read mirrored ones. board.sh SPOR SOURCE [FOLDER]
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
mkdir -p learn
"$spor" export run --c learn/net.c --train --batch 10
# The last line of the digits is among those that test.
gzip -dc "$source/data/digits.csv.gz" | tail -1 |
    awk -F, '{ printf "#define DIGIT_SHOWN %d\n#define DIGIT_PIXELS ", $NF; for (k = 1; k < NF; k++) printf "%s%s", $k, k < NF - 1 ? ", " : "\n" }' >digit.h

gzip -dc "$source/data/digits.csv.gz" | tail -10 |
    awk 'BEGIN { printf "#define DIGITS" } { printf("%s \\\n {%s}", NR > 1 ? "," : "", $0) } END { printf "\n" }' >learn/digits.h

board=$source/tests/examples/board
echo 'int quiet(const char *text, ...); int quiet(const char *text, ...) { return !text; }' >quiet.c

# on UNIT NAME FOLDER OPTION...: the program of so many files, on the board
on() {
    unit=$1 name=$2 folder=$3
    shift 3
    # shellcheck disable=SC2086 # several words
    arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb $unit -std=c99 -O2 -Wall -Wextra -pedantic -Werror "-I$folder" -I. -nostartfiles \
        -T "$board/board.ld" "$folder/net.c" "$board/start.c" "$@" -o "$name.elf"
    arm-none-eabi-size "$name.elf"
    timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native -kernel "$name.elf"
}

for unit in "-mfloat-abi=soft" "-mfloat-abi=hard -mfpu=fpv4-sp-d16"; do
    for numbers in "" --int8; do
        # shellcheck disable=SC2086 # one word, or none
        "$spor" export run --c net.c $numbers
        on "$unit" digit . "$board/digit.c"
        on "$unit" selftest . -DNET_SELFTEST -Dprintf=quiet quiet.c
    done
    on "$unit" learn learn "$board/learn.c"
done
