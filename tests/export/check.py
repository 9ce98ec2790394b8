"""What spor export --onnx has written, by onnx and onnxruntime.

Each file is read, checked with all shapes inferred, and run: floats by onnxruntime, doubles where it lacks
kernels for them by onnx's own evaluator. Inputs and what spor makes of them lie beside it. Results are held to
1e-5, of the largest number where that is more than 1.

    python3 check.py FOLDER
    python3 check.py FOLDER build/spor      the run that lies in FOLDER, by the command itself
"""
import os
import subprocess
import sys
import warnings

import numpy as np
import onnx
import onnx.reference
import onnxruntime

BOUND = 1e-5
SHOWN = {"densenet2_20", "convnet1_3", "densenet4_300", "convkeras4_20", "lenet2", "convkeras12_32"}


def run(path, model, feed, double):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(path, options).run(None, feed)[0]
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        if not double:
            raise
    return onnx.reference.ReferenceEvaluator(model).run(None, feed)[0]


def structure(model):
    """Names are unique, and every tensor says its type and shape."""
    graph = model.graph
    names = [v.name for v in graph.input] + [v.name for v in graph.initializer]
    names += [name for node in graph.node for name in node.output]
    assert len(set(names)) == len(names), "a name is there twice"
    told = {v.name for v in [*graph.value_info, *graph.output]}
    for node in graph.node:
        for name in node.output:
            assert name in told, f"{name} has no shape"
        known = {v.name for v in graph.initializer}
        assert node.op_type != "Transpose" or node.input[0] not in known, "known numbers are transposed"


def check(folder, name, rows, inputs):
    path = os.path.join(folder, name + ".onnx")
    double = name.endswith("_f64")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    structure(model)
    assert model.opset_import[0].version == 17 and model.ir_version == 8
    feed = {}
    for k, x in enumerate(inputs):
        numbers = np.load(os.path.join(folder, f"{name}.x{k}.npy"))
        feed[x] = numbers if double else numbers.astype(np.float32)
    want = np.load(os.path.join(folder, name + ".y.npy"))
    feed = {x.name: feed[x.name] for x in model.graph.input}
    if rows == "fixed" and len(inputs) == 1 and inputs[0] == "x":  # a network, one row at a time
        have = np.concatenate([run(path, model, {"x": row[None]}, double) for row in feed["x"]])
    else:
        have = run(path, model, feed, double)
    assert have.shape == want.shape, f"{have.shape}, not {want.shape}"
    assert have.dtype == (np.float64 if double else np.float32), have.dtype
    off = np.abs(have - want).max(initial=0) / max(1, np.abs(want).max(initial=0))
    if np.isnan(off) or off > BOUND:
        raise AssertionError(f"off by {off:.1e}")
    return off, model


def main(folder):
    warnings.simplefilter("ignore")
    failed, worst, count = 0, (0, "nothing"), 0
    for line in open(os.path.join(folder, "cases.txt")):
        name, rows, *inputs = line.split()
        try:
            off, model = check(folder, name, rows, inputs)
        except Exception as why:  # of onnx and onnxruntime: all kinds
            print(f"{name}: {str(why)[:600]}")
            failed += 1
            continue
        count += 1
        worst = max(worst, (off, name))
        if name in SHOWN:
            size = os.path.getsize(os.path.join(folder, name + ".onnx"))
            print(f"{name}: {len(model.graph.node)} nodes, {size} bytes, off by at most {off:.1e}")
    print(f"{count} files agree within {BOUND}, {worst[1]} is off most, by {worst[0]:.1e}; {failed} failed")
    return 1 if failed or not count else 0


def command(folder, spor):
    """The run of digits in the folder, exported, against what spor predicts of rows as their files have them."""
    path, rows, said = (os.path.join(folder, name) for name in ("run.onnx", "rows.npy", "said.npy"))
    run_folder = os.path.join(folder, "run")
    pixels = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1)).astype(np.float32)
    np.save(rows, pixels)
    subprocess.run([spor, "export", run_folder, "--onnx", path], check=True)
    subprocess.run([spor, "predict", run_folder, "--in", rows, "--out", said], check=True, stdout=subprocess.DEVNULL)
    model = onnx.load(path)
    notes = {note.key: note.value for note in model.metadata_props}
    have = run(path, model, {"x": pixels * np.float32(notes["scale"])}, False)
    off = np.abs(have - np.load(said)).max()
    print(f"a run: what spor predict says of 100 rows, off by at most {off:.1e}; {notes}")
    return 0 if off <= BOUND else 1


if __name__ == "__main__":
    sys.exit(command(*sys.argv[1:]) if len(sys.argv) > 2 else main(sys.argv[1]))
