#!/bin/sh
# What spor run computes, held against NumPy: the example of the README, and op by op, agree.py. Skipped where no Python has NumPy.
#
#     tests/numpy/run.sh build/spor
for python in python3 /usr/bin/python3; do
    if "$python" -c 'import numpy' 2>/dev/null; then
        here=$(dirname "$0")
        "$python" "$here/../examples/layer.py" "$1" | tee /dev/stderr |
            grep -Eq '^off by at most [0-9.]+e-1[5-9]$|^off by at most 0.0$' || exit 1
        exec "$python" "$here/agree.py" "$1"
    fi
done
echo "skipped: no python3 here has numpy (apt-get install python3-numpy)"
exit 77
