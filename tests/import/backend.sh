#!/bin/sh
# What spor import makes of the node tests of onnx and of networks that PyTorch wrote: run, and held against the outputs that
# these tests expect. Skipped, and told so, where no Python has onnx; $SPOR_ONNX_PYTHON, if set, must.
#
#     tests/import/backend.sh build/spor SOURCE
spor=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

. "$source/tests/support/onnx_python.sh"
find_python 'numpy, onnx.backend.test.case.node' "$folder"
if [ -z "$python" ]; then
    echo "skipped: no python3 here has onnx (pip install onnx; \$SPOR_ONNX_PYTHON names one)"
    exit 77
fi
SPOR_MODELS=$source/models
export SPOR_MODELS
"$python" "$source/tests/import/backend.py" "$spor" "$folder"
