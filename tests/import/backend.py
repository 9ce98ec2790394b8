"""What spor import makes of the node tests of the package onnx, and of networks that PyTorch wrote, which come with it:
imported, run and compared with the outputs that these tests expect. A refusal is counted with what it says; wrong
numbers fail.

    python3 backend.py SPOR FOLDER
"""

import collections
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

warnings.simplefilter("ignore")
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


class Refused(Exception):
    pass


def ours(model, ops):
    return all(node.op_type in ops and node.domain in ("", "ai.onnx") for node in model.graph.node)


def with_constants(model, arrays):
    """Inputs but the first real one become known numbers; returns the model and the inputs that are left."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph, kept = model.graph, None
    for value, array in zip(list(graph.input), arrays):
        if kept is None and value.type.tensor_type.elem_type in FLOATS:
            kept = (value, array)
    if kept is None:
        kept = (graph.input[0], arrays[0])
    for value, array in zip(list(graph.input), arrays):
        if value.name == kept[0].name:
            continue
        graph.input.remove(value)
        graph.initializer.append(numpy_helper.from_array(np.asarray(array), value.name))
    for axis, size in zip(kept[0].type.tensor_type.shape.dim, kept[1].shape):
        axis.dim_value = size
    return model, kept[1]


def told(text, name):
    """True if the script says that an input or output has its channels last."""
    return any(line.startswith(f"# {name} is ") and "of the file is" in line for line in text.split("\n"))


def run(spor, folder, model, x, wide):
    at = lambda name: os.path.join(folder, name)
    onnx.save(model, at("net.onnx"))
    made = subprocess.run([spor, "import", "net.onnx", "--script", "net.spor", "--weights", "net.safetensors"],
                          cwd=folder, capture_output=True, text=True)
    if made.returncode == 2 and made.stderr.startswith("spor import: net.onnx: ") and not os.path.exists(at("net.spor")) \
            and "can't be recorded" not in made.stderr:
        raise Refused(made.stderr[len("spor import: net.onnx: "):].strip().split("\n")[0])
    assert made.returncode == 0, made.stderr or f"exit {made.returncode}"
    script = open(at("net.spor")).read()
    if told(script, "x"):
        x = np.moveaxis(x, 1, -1)
    np.save(at("x.npy"), np.array(x, dtype=np.float64 if wide else np.float32, order="C"))
    names = [name.strip() for name in script.split("    return ")[1].split("\n")[0].split(",")]
    outs = [f"{name}=y{k}.npy" for k, name in enumerate(names)] if len(names) > 1 else ["y=y0.npy"]
    ran = subprocess.run([spor, "run", "net.spor", "--call", "net", "--weights", "net.safetensors", "--in", "x=x.npy",
                          *(["--double"] if wide else []), "--out", *outs],
                         cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr + script
    results = [np.load(at(f"y{k}.npy")) for k in range(len(names))]
    return [np.moveaxis(y, -1, 1) if told(script, name) else y for name, y in zip(names, results)], script


def check(spor, folder, model, arrays, expected):
    model, x = with_constants(model, arrays)
    wide = model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    have, script = run(spor, folder, model, np.asarray(x), wide)
    assert len(have) == len(expected), "another number of outputs"
    for y, want in zip(have, expected):
        want = np.asarray(want)
        assert y.shape == want.shape, f"{y.shape}, not {want.shape}\n{script}"
        short = want.dtype.itemsize == 2  # computed with 8 or 11 bits there
        want = want.astype(np.float64)
        if not np.allclose(y, want, rtol=3e-2 if short else 1e-3, atol=5e-3 if short else 1e-5, equal_nan=True):
            raise AssertionError(f"off by {np.nanmax(np.abs(y - want)):.3g}\n{script}")


def node_cases():
    from onnx.backend.test.case.node import collect_testcases
    for case in collect_testcases(None):
        inputs, outputs = case.data_sets[0]
        if all(isinstance(a, np.ndarray) or np.isscalar(a) for a in [*inputs, *outputs]):
            yield case.name, case.model, inputs, outputs


def converted_cases():
    root = os.path.join(os.path.dirname(onnx.__file__), "backend/test/data")
    for kind in ("pytorch-converted", "pytorch-operator"):
        for name in sorted(os.listdir(os.path.join(root, kind))):
            at = os.path.join(root, kind, name)
            model = onnx.load(os.path.join(at, "model.onnx"))
            data = os.path.join(at, "test_data_set_0")
            read = lambda what: [numpy_helper.to_array(onnx.load_tensor(os.path.join(data, f"{what}_{k}.pb")))
                                 for k in range(len([f for f in os.listdir(data) if f.startswith(what)]))]
            yield kind + "/" + name, model, read("input"), read("output")


def look(spor, folder, case):
    """None if it agrees, a Refused, or what is wrong."""
    name, model, inputs, outputs = case
    try:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            check(spor, own, model, inputs, outputs)
    except (Refused, AssertionError) as why:
        return why
    return None


def main(spor, folder, only=""):
    spor = os.path.abspath(spor)
    ops = set(subprocess.run([spor, "import", "--ops"], capture_output=True, text=True, check=True).stdout.split())
    all_cases = [*node_cases(), *converted_cases()]
    cases = [c for c in all_cases if c[2] and ours(c[1], ops) and only in c[0]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda case: look(spor, folder, case), cases))
    refused, examples, wrong = collections.Counter(), {}, []
    for (name, *_), why in zip(cases, answers):
        if isinstance(why, Refused):
            key = str(why).split("): ", 1)[-1]
            refused[key] += 1
            examples.setdefault(key, name)
        elif why is not None:
            wrong.append(name)
            print(f"{name}: {why}")
    for why, count in refused.most_common():
        print(f"refused {count} times: {why} ({examples[why]})")
    good = len(cases) - sum(refused.values()) - len(wrong)
    print(f"{good} agree, {sum(refused.values())} are refused, {len(wrong)} are wrong; "
          f"{len(all_cases) - len(cases)} have ops that spor has not")
    return 1 if wrong or good < (1 if only else 900) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
