#!/bin/sh
# What spor import makes of the node tests of onnx and of networks that PyTorch wrote: run, and held against the outputs that
# these tests expect. Skipped, and told so, where no Python has onnx; $SPOR_ONNX_PYTHON, if set, must.
#
#     tests/import/backend.sh build/spor SOURCE
spor=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for python in "${SPOR_ONNX_PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] || continue
    "$python" -c 'import numpy, onnx.backend.test.case.node' 2>"$folder/why" && break
    if [ "$python" = "${SPOR_ONNX_PYTHON:-}" ]; then
        echo "SPOR_ONNX_PYTHON, $python, can't be used:"
        cat "$folder/why"
        exit 1
    fi
    python=
done
if [ -z "$python" ]; then
    echo "skipped: no python3 here has onnx (pip install onnx; \$SPOR_ONNX_PYTHON names one)"
    exit 77
fi
SPOR_MODELS=$source/models
export SPOR_MODELS
"$python" "$source/tests/import/backend.py" "$spor" "$folder"
