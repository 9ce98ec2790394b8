# Which Python has these modules: python=..., "" if none has. $SPOR_ONNX_PYTHON, if set, must. To be sourced, with a folder for
# what is said.
#
#     find_python 'numpy, onnx' "$folder"
find_python() {
    for python in "${SPOR_ONNX_PYTHON:-}" python3 /usr/bin/python3; do
        [ -n "$python" ] || continue
        "$python" -c "import $1" 2>"$2/why" && return
        if [ "$python" = "${SPOR_ONNX_PYTHON:-}" ]; then
            echo "SPOR_ONNX_PYTHON, $python, can't be used:"
            cat "$2/why"
            exit 1
        fi
    done
    python=
}
