#!/bin/sh
# The example kernels in NumPy and PyTorch, right and with their mistakes, by spor verify --exec; those in C are run by
# the suite `kernels`. Skipped, and told so, where no Python has NumPy.
#
#     tests/examples/kernels.sh build/spor
spor=$1
here=$(dirname "$0")
log=$(mktemp)
pipes=$(mktemp -d)
trap 'kill $server 2>/dev/null; rm -rf "$log" "$pipes"' EXIT
SPOR_MODELS=$here/../../models
export SPOR_MODELS

# Most of the time of a small kernel is how long Python and NumPy take to begin. A Python that has done so runs the program
# for each line of words that it is given, in a process of its own, and answers with the status.
serve() {
    mkfifo "$pipes/asked" "$pipes/told"
    "$python" - "$here/$program" "$pipes/asked" "$pipes/told" <<'EOF' &
import os
import runpy
import sys

import numpy

program, asked, told = sys.argv[1:]
while True:
    with open(asked) as lines:
        words = lines.readline().split()
    child = os.fork()
    if not child:
        sys.argv = [program] + words
        runpy.run_path(program, run_name="__main__")
        sys.exit()
    _, status = os.waitpid(child, 0)
    with open(told, "w") as answer:
        print(os.waitstatus_to_exitcode(status), file=answer)
EOF
    server=$!
}

# try STATUS KERNEL TYPE [MISTAKE [BLOCK [BEFORE]]]: what is right by a command as one gives it, mistakes by the server.
try() {
    expected=$1 kernel=$2 type=$3 mistake=$4 block=$5 before=$6
    command="'$python' '$here/$program' {in} {out} $kernel $type"
    if [ -n "$mistake" ] && [ -n "$server" ]; then
        command="echo {in} {out} $kernel $type $mistake >'$pipes/asked'; read status <'$pipes/told'; exit \$status"
    fi
    "$spor" verify "$here/kernels.spor" --call "$kernel" ${block:+--block "$block"} ${before:+--before "$before"} \
        --exec "$command" >"$log" 2>&1
    status=$?
    if [ "$status" != "$expected" ]; then
        echo "$program $*: status $status"
        cat "$log"
        exit 1
    fi
    if [ "$expected" = 1 ] && ! grep -q 'DOES NOT HOLD  .*=' "$log"; then
        echo "$program $*: no smallest case"
        cat "$log"
        exit 1
    fi
    echo "$program $2 $3${mistake:+, mistake $mistake}: $(tail -1 "$log")"
}

for python in python3 /usr/bin/python3 ${SPOR_PYTHON:-}; do
    "$python" -c 'import numpy' 2>/dev/null && break
    python=
done
if [ -z "$python" ]; then
    echo "skipped: no python3 here has numpy (apt-get install python3-numpy)"
    exit 77
fi
program=kernels.py
serve
for kernel in layer_norm attention cross_entropy embedding depthwise; do
    try 0 $kernel f32
    try 0 $kernel bf16
    for mistake in 1 2 3; do
        case $kernel$mistake in
        layer_norm2 | cross_entropy3 | embedding3) try 1 $kernel f32 $mistake 64 ;;
        *) try 1 $kernel f32 $mistake ;;
        esac
    done
done

# What lies in the output before is added to, or is overwritten.
try 0 embedding f32 0 '' dE=dE_before
try 1 embedding f32 4 '' dE=dE_before

if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "not run: $python has no torch, so the kernels of kernels_torch.py were not tried"
    exit 0
fi
kill "$server"
server=
program=kernels_torch.py
try 0 layer_norm f32
try 0 attention bf16
try 1 cross_entropy f32 3
