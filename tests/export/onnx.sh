#!/bin/sh
# What spor export --onnx writes, by onnx and onnxruntime: every op, layer and network that tests export, and a run that was
# trained, held against spor predict. Skipped, and told so, where no Python has both; $SPOR_ONNX_PYTHON, if set, must.
#
#     tests/export/onnx.sh build/spor build/tests/write_cases SOURCE
spor=$1 write_cases=$2 source=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

. "$source/tests/support/onnx_python.sh"
find_python 'numpy, onnx, onnxruntime' "$folder"
if [ -z "$python" ]; then
    echo "skipped: no python3 here has onnx and onnxruntime (pip install onnx onnxruntime; \$SPOR_ONNX_PYTHON names one)"
    exit 77
fi
SPOR_MODELS=$source/models
export SPOR_MODELS
"$write_cases" "$source" "$folder" || exit 1
"$python" "$source/tests/export/check.py" "$folder" || exit 1
"$spor" train "$source/models/convnet1_3.spor" --epochs 1 --limit 300 --quiet --out "$folder/run" || exit 1
"$python" "$source/tests/export/check.py" "$folder" "$spor"
