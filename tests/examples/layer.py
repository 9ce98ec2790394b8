"""The gradients of a layer by spor, in NumPy's hands: python3 layer.py build/spor"""
import os, subprocess, sys, tempfile
import numpy as np

def spor(script, call, cotangent, **operands):
    """The value of a def and the gradients of its operands."""
    with tempfile.TemporaryDirectory() as folder:
        file = lambda name: f"{name}={os.path.join(folder, name)}.npy"
        for name, array in {**operands, "dY": cotangent}.items():
            np.save(os.path.join(folder, name), array)
        subprocess.run([sys.argv[1], "run", script, "--call", call, "--double",
                        "--in", *map(file, operands), "--cotangent", file("dY"),
                        "--out", file("Y"), "--grad", *[file("d" + k) for k in operands]], check=True)
        load = lambda name: np.load(os.path.join(folder, name + ".npy"))
        return load("Y"), {name: load("d" + name) for name in operands}

random = np.random.default_rng(0).standard_normal
x, W, b, dY = random((5, 4)), random((4, 3)), random(3), random((5, 3))
Y, d = spor(os.path.join(os.path.dirname(__file__), "layer.spor"), "layer", dY, x=x, W=W, b=b)
print("off by at most", np.max(np.abs(d["W"] - x.T @ (dY * (1 - Y**2)))))
