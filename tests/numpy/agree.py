"""Values and gradients of `spor run`, op by op, against NumPy, in float and in double.

Each case is a def in spor's language and the same function in NumPy. The truth of the gradients is the
complex step of NumPy's function: d sum(y dy) / dx[k] = Im sum(f(x + i h e_k) dy) / h with h = 1e-30, which
has no truncation to speak of and uses no derivative that anybody wrote. Functions with kinks decide by real
parts, and no operand is drawn near one; where spor says that a derivative is 0, the imaginary part is dropped.

    python3 agree.py build/spor
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

H = 1e-30
UNITS = 16  # in the last place, of the value or of the root mean square of its array; 2 are seen


# ---- ops in NumPy, on complex numbers ----

def pick(c, x, y):
    return np.where(c.real != 0, x, y)


def largest(x, axis):
    at = np.expand_dims(np.argmax(x.real, axis), axis)
    return np.take_along_axis(x, at, axis).squeeze(axis)


def lse(x, axis):
    shift = np.max(x.real, axis, keepdims=True)
    return np.log(np.sum(np.exp(x - shift), axis)) + shift.squeeze(axis)


def log_softmax(x, axis):
    return x - np.expand_dims(lse(x, axis), axis)


def pad(x, lo, hi):
    return np.pad(x, list(zip(lo, hi)))


def dilate(x, by):
    y = np.zeros([(n - 1) * b + 1 for n, b in zip(x.shape, by)], x.dtype)
    y[tuple(slice(None, None, b) for b in by)] = x
    return y


def windows(x, size, stride):
    """[N, P, Q, C, h, w]"""
    view = np.lib.stride_tricks.sliding_window_view(x, size, (1, 2))
    return view[:, ::stride[0], ::stride[1]]


def correlate(x, K, stride=(1, 1)):
    return np.einsum("nijckl,klcf->nijf", windows(x, K.shape[:2], stride), K)


def flat(x, size, stride):
    w = windows(x, size, stride)
    return w.reshape(w.shape[:4] + (-1,))


def gather(x, v, size, stride):
    at = np.argmax(flat(x, size, stride).real, -1)[..., None]
    return np.take_along_axis(flat(v, size, stride), at, -1)[..., 0]


def spread(weight, shape, size, stride):
    """Adds what each window has for its cells, weight[N, P, Q, C, cells], to a map."""
    z = np.zeros(shape, complex)
    for p in range(weight.shape[1]):
        for q in range(weight.shape[2]):
            i, j = p * stride[0], q * stride[1]
            part = weight[:, p, q].reshape(weight.shape[0], weight.shape[3], *size)
            z[:, i:i + size[0], j:j + size[1]] += part.transpose(0, 2, 3, 1)
    return z


def route(x, g, size, stride):
    cells = flat(x, size, stride)
    winner = np.argmax(cells.real, -1)[..., None] == np.arange(cells.shape[-1])
    return spread(winner * g[..., None], x.shape, size, stride)


def even_spread(g, h, w, size, stride):
    cells = size[0] * size[1]
    weight = np.repeat(g[..., None] / cells, cells, -1)
    return spread(weight, (g.shape[0], h, w, g.shape[3]), size, stride)


# ---- cases: name, result in spor, operands with their shapes, NumPy ----

A, B, P, M = (3, 4), (2, 3, 4), "positive", (2, 5, 6, 3)
W = dict(size=(2, 3), stride=(1, 2))
SPOR_W = "size=[2, 3], stride=[1, 2]"

CASES = [
    ("add", "x + y", dict(x=A, y=A), lambda x, y: x + y),
    ("sub", "x - y", dict(x=A, y=A), lambda x, y: x - y),
    ("mul", "x * y", dict(x=A, y=A), lambda x, y: x * y),
    ("div", "x / y", dict(x=A, y=(A, P)), lambda x, y: x / y),
    ("xmuly", "xmuly(x, y)", dict(x=A, y=A), lambda x, y: x * y),
    ("xdivy", "xdivy(x, y)", dict(x=A, y=(A, P)), lambda x, y: x / y),
    ("neg", "-x", dict(x=A), lambda x: -x),
    ("exp", "exp(x)", dict(x=A), np.exp),
    ("log", "log(x)", dict(x=(A, P)), np.log),
    ("sqrt", "sqrt(x)", dict(x=(A, P)), np.sqrt),
    ("tanh", "tanh(x)", dict(x=A), np.tanh),
    ("sigmoid", "sigmoid(x)", dict(x=A), lambda x: 1 / (1 + np.exp(-x))),
    ("softplus", "softplus(x)", dict(x=A), lambda x: np.log(1 + np.exp(x))),
    ("expm1", "expm1(x)", dict(x=A), np.expm1),
    ("log1p", "log1p(x)", dict(x=(A, P)), np.log1p),
    ("sin", "sin(x)", dict(x=A), np.sin),
    ("cos", "cos(x)", dict(x=A), np.cos),
    ("pow", "x ** y", dict(x=(A, P), y=A), lambda x, y: x ** y),
    ("whole powers", "x ** 3 - x ** -2", dict(x=(A, P)), lambda x: x ** 3 - x ** -2),
    ("less_equal", "(x <= y) * x", dict(x=A, y=A), lambda x, y: (x.real <= y.real) * x),
    ("equal", "(x == y) * x + (x != y) * y", dict(x=A, y=A), lambda x, y: pick(x == y, x, y)),
    ("relu", "relu(x)", dict(x=A), lambda x: pick(x.real > 0, x, 0 * x)),
    ("leaky_relu", "leaky_relu(x, slope=0.1)", dict(x=A), lambda x: pick(x.real > 0, x, x / 10)),
    ("abs", "abs(x)", dict(x=A), lambda x: pick(x.real > 0, x, -x)),
    ("step", "step(x) + 0 * x", dict(x=A), lambda x: 1.0 * (x.real > 0) + 0 * x),
    ("maximum", "maximum(x, y)", dict(x=A, y=A), lambda x, y: pick(x.real >= y.real, x, y)),
    ("minimum", "minimum(x, y)", dict(x=A, y=A), lambda x, y: pick(x.real <= y.real, x, y)),
    ("less", "less(x, y) * x", dict(x=A, y=A), lambda x, y: (x.real < y.real) * x),
    ("where", "where(step(c), x, y)", dict(c=A, x=A, y=A), lambda c, x, y: pick(c.real > 0, x, y)),
    ("stop_gradient", "stop_gradient(x) * y", dict(x=A, y=A), lambda x, y: x.real * y),
    ("sum", "sum(x, axis=[0, 2])", dict(x=B), lambda x: x.sum((0, 2))),
    ("expand", "expand(x, axis=1, shape=[3, 5, 4])", dict(x=A),
     lambda x: np.repeat(x[:, None], 5, 1)),
    ("max", "max(x, axis=1)", dict(x=B), lambda x: largest(x, 1)),
    ("softmax", "softmax(x)", dict(x=B), lambda x: np.exp(log_softmax(x, 2))),
    ("log_softmax", "log_softmax(x, axis=1)", dict(x=B), lambda x: log_softmax(x, 1)),
    ("logsumexp", "logsumexp(x, axis=0)", dict(x=B), lambda x: lse(x, 0)),
    ("flip", "flip(x, axis=[0, 2])", dict(x=B), lambda x: x[::-1, :, ::-1]),
    ("concat", "concat([x, y], axis=1)", dict(x=A, y=(3, 2)), lambda x, y: np.concatenate([x, y], 1)),
    ("reshape", "reshape(x, [4, 6])", dict(x=B), lambda x: x.reshape(4, 6)),
    ("transpose", "transpose(x, [2, 0, 1])", dict(x=B), lambda x: x.transpose(2, 0, 1)),
    ("pad", "pad(x, [[1, 2], [0, 3]], axis=[0, 1])", dict(x=A), lambda x: pad(x, (1, 0), (2, 3))),
    ("crop", "crop(x, [[1, 0], [1, 1]], axis=[0, 1])", dict(x=A), lambda x: x[1:, 1:-1]),
    ("dilate", "dilate(x, [2, 3])", dict(x=A), lambda x: dilate(x, (2, 3))),
    ("subsample", "subsample(x, [2, 3])", dict(x=A), lambda x: x[::2, ::3]),
    ("matmul", "x @ y", dict(x=A, y=(4, 5)), lambda x, y: x @ y),
    ("matmul of many", "x @ y", dict(x=(2, 3, 4), y=(5, 1, 4, 2)), lambda x, y: x @ y),
    ("matmul by one", "x @ y", dict(x=(5, 2, 3, 4), y=(4, 2)), lambda x, y: x @ y),
    ("correlate2d", "correlate2d(x, K, stride=[2, 1])", dict(x=M, K=(3, 2, 3, 4)),
     lambda x, K: correlate(x, K, (2, 1))),
    ("convolve2d", "convolve2d(x, K)", dict(x=M, K=(3, 2, 3, 4)),
     lambda x, K: correlate(x, K[::-1, ::-1])),
    ("maxpool2d", f"maxpool2d(x, {SPOR_W})", dict(x=M), lambda x: gather(x, x, **W)),
    ("avgpool2d", f"avgpool2d(x, {SPOR_W})", dict(x=M), lambda x: flat(x, **W).mean(-1)),
    ("route", f"route(x, g, {SPOR_W})", dict(x=M, g=(2, 4, 2, 3)), lambda x, g: route(x, g, **W)),
    ("gather", f"gather(x, v, {SPOR_W})", dict(x=M, v=M), lambda x, v: gather(x, v, **W)),
    ("spread2d", f"spread2d(g, 5, 6, {SPOR_W})", dict(g=(2, 4, 2, 3)),
     lambda g: even_spread(g, 5, 6, **W)),
    ("ratio", "x * ratio(1, 3)", dict(x=A), lambda x: x / 3),
    ("constant", "x + full([3, 4], 0.1)", dict(x=A), lambda x: x + 0.1),
    ("mean", "mean(x, axis=1)", dict(x=B), lambda x: x.mean(1)),
    ("dense", "tanh(x @ W + b)", dict(x=(5, 4), W=(4, 3), b=(3,)), lambda x, W, b: np.tanh(x @ W + b)),
    ("conv and pool", "maxpool2d(relu(correlate2d(x, K) + b), 2)", dict(x=(2, 7, 7, 3), K=(2, 2, 3, 4), b=(4,)),
     lambda x, K, b: (lambda z: gather(z, z, (2, 2), (2, 2)))(
         (lambda z: pick(z.real > 0, z, 0 * z))(correlate(x, K) + b))),
    ("cross entropy", "-sum(y * log_softmax(x))", dict(x=(4, 5), y=(4, 5)),
     lambda x, y: -np.sum(y * log_softmax(x, 1))),
]


# ---- running ----

def draw(random, shape):
    """Numbers that a float holds, none near 0, none near another: no kink is met."""
    positive = isinstance(shape[0], tuple)
    shape = shape[0] if positive else shape
    count = int(np.prod(shape))
    grid = (np.arange(count) + 0.5 + 0.4 * random.random(count)) / count * 2
    values = random.permutation(grid if positive else grid - 1.01)
    return values.reshape(shape).astype(np.float32).astype(np.float64)


def truth(function, operands, cotangent, name):
    """The gradient by complex steps."""
    operands = {k: v.astype(complex) for k, v in operands.items()}
    x = operands[name]
    gradient = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        kept = x[k]
        x[k] = kept + 1j * H
        gradient[k] = np.sum(function(*operands.values()) * cotangent).imag / H
        x[k] = kept
    return gradient


def units_off(got, want, dtype):
    if got.dtype != dtype or got.shape != want.shape or not np.all(np.isfinite(got)):
        return np.inf
    scale = np.abs(want) + np.sqrt(np.mean(np.square(want)))
    far = np.abs(got.astype(np.float64) - want)
    return 0.0 if not np.any(far) else np.max(far / np.where(scale > 0, scale, 1e-300)) / np.finfo(dtype).eps


def spor_run(program, folder, case, operands, cotangent, dtype):
    name, text, _, _ = case
    path = lambda file: os.path.join(folder, file + ".npy")
    with open(os.path.join(folder, "case.spor"), "w") as script:
        script.write(f"def f({', '.join(operands)}):\n    return {text}\n")
    for key, value in operands.items():
        np.save(path(key), value.astype(dtype))
    np.save(path("cotangent"), cotangent.astype(dtype))
    command = [program, "run", os.path.join(folder, "case.spor"), "--call", "f", "--out", "Z=" + path("Z"),
               "--in"] + [f"{k}={path(k)}" for k in operands]
    command += ["--grad"] + [f"d{k}={path('d' + k)}" for k in operands]
    command += ["--cotangent", "dZ=" + path("cotangent")] if cotangent.shape else []
    command += ["--double"] if dtype == np.float64 else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or done.stderr:
        sys.exit(f"{name}: status {done.returncode}\n{' '.join(command)}\n{done.stderr}")
    return {"Z": np.load(path("Z")), **{"d" + k: np.load(path("d" + k)) for k in operands}}


def judge(program, folder, case, dtype, seed):
    """(units off, of what) of the worst array; the arrays and what they should be."""
    name, _, shapes, function = case
    random = np.random.default_rng(seed)
    operands = {k: draw(random, s) for k, s in shapes.items()}
    value = np.asarray(function(*[v.astype(complex) for v in operands.values()])).real
    cotangent = draw(random, value.shape) if value.shape else np.array(1.0)
    got = spor_run(program, folder, case, operands, cotangent, dtype)
    want = {"Z": value}
    for k in operands:
        want["d" + k] = truth(function, operands, cotangent, k)
    worst = max((units_off(got[k], want[k], dtype), k) for k in want)
    return worst, got, want


def main():
    program, wrong = os.path.abspath(sys.argv[1]), 0
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES):
            for dtype in (np.float32, np.float64):
                (units, which), got, want = judge(program, folder, case, dtype, number)
                got["Z"].flat[-1] += 1e-3 + 1e-3 * abs(got["Z"].flat[-1])  # a fault must be seen
                blind = units_off(got["Z"], want["Z"], dtype) <= UNITS
                if units > UNITS or blind:
                    wrong += 1
                    print(f"{case[0]}, {np.dtype(dtype).name}: {which} is {units:.3g} units off"
                          + (", and a planted fault is not seen" if blind else ""))
    print(f"{len(CASES)} functions, values and gradients, float and double: {wrong} wrong")
    sys.exit(wrong > 0)


main()
