#!/usr/bin/env python3
"""What tests/script/layers.txt holds: layers of models/layers.spor by NumPy, as sums over their indices.

    python3 tests/numpy/layers.py > tests/script/layers.txt

Operand k, element j, is ((7 j + 3 k + 1) mod 11 - 5) / 4. The gradients are those of the sum of the result
times such numbers with k = 9, by complex steps: no rule of differentiation has a part in them.
"""
import numpy as np


def numbers(k, shape):
    size = int(np.prod(shape))
    return (((np.arange(size) * 7 + 3 * k + 1) % 11 - 5) / 4).reshape(shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x)
    return e / e.sum(-1, keepdims=True)


def conv(x, K, b=0, stride=1, dilation=1, groups=1, pad=((0, 0), (0, 0))):
    (s, t), (d, e) = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    x = np.pad(x, ((0, 0), *pad, (0, 0)))
    N, H, W, C = x.shape
    k, l, c, F = K.shape
    P, Q = (H - (k - 1) * d - 1) // s + 1, (W - (l - 1) * e - 1) // t + 1
    y = np.zeros((N, P, Q, F), complex)
    for i in range(P):
        for j in range(Q):
            for f in range(F):
                g = f // (F // groups)
                cells = x[:, i * s:i * s + k * d:d, j * t:j * t + l * e:e, g * c:g * c + c][:, :k, :l]
                y[:, i, j, f] = (cells * K[:, :, :, f]).sum((1, 2, 3))
    return y + b


def depthwise(x, K, b=0, stride=1, dilation=1):
    k, l, C, m = K.shape
    return conv(x, K.reshape(k, l, 1, C * m), b, stride, dilation, C)


def conv_transpose(x, K, stride, top, left, rows, columns, b=0):
    s, t = np.broadcast_to(stride, 2)
    N, H, W, C = x.shape
    k, l, F, _ = K.shape
    y = np.zeros((N, max(H * s + k + rows, top + rows), max(W * t + l + columns, left + columns), F), complex)
    for i in range(H):
        for j in range(W):
            y[:, i * s:i * s + k, j * t:j * t + l] += np.einsum("nc,uvfc->nuvf", x[:, i, j], K)
    return y[:, top:top + rows, left:left + columns] + b


def norm(x, axes, mean=True):
    c = x - x.mean(axes, keepdims=True) if mean else x
    return c / np.sqrt((c * c).mean(axes, keepdims=True) + 0.001)


def group_norm(x, gamma, beta):
    return gamma * norm(x, (1, 3)).reshape(x.shape[0], x.shape[1], -1) + beta


def attention(Q, K, V, mask=None):
    scores = np.einsum("nhtd,nhsd->nhts", Q, K) / np.sqrt(Q.shape[-1])
    weights = np.exp(scores) if mask is None else np.exp(scores) * mask
    return weights / weights.sum(-1, keepdims=True) @ V


def heads(x, n):
    return x.reshape(x.shape[0], x.shape[1], n, -1).transpose(0, 2, 1, 3)


def multi_head(x, source, n, w, mask=None):
    N, T, C = x.shape
    W = np.full((C, C), w)
    y = attention(heads(x @ W, n), heads(source @ W, n), heads(source @ W, n), mask)
    return y.transpose(0, 2, 1, 3).reshape(N, T, C) @ W


def lstm_cell(Z, h, c, U, forget=0.0):
    i, f, g, o = np.split(Z + h @ U, 4, axis=1)
    cell = sigmoid(f + forget) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def gru_cell(Z, h, U, c):
    r, z, n = np.split(Z, 3, axis=1)
    s, t, u = np.split(h @ U + c, 3, axis=1)
    update = sigmoid(z + t)
    return (1 - update) * np.tanh(n + sigmoid(r + s) * u) + update * h


def lstm(x, m, w, sequences=False, forget=0.0):
    h = c = np.zeros((x.shape[0], m))
    steps = []
    for t in range(x.shape[1]):
        h, c = lstm_cell(x[:, t] @ np.full((x.shape[2], 4 * m), w), h, c, np.full((m, 4 * m), w), forget)
        steps.append(h)
    return np.stack(steps, 1) if sequences else h


def gru(x, m, w, sequences=False):
    h = np.zeros((x.shape[0], m))
    steps = []
    for t in range(x.shape[1]):
        h = gru_cell(x[:, t] @ np.full((x.shape[2], 3 * m), w), h, np.full((m, 3 * m), w), 0)
        steps.append(h)
    return np.stack(steps, 1) if sequences else h


def bilinear(x, by):
    for axis, s in zip((1, 2), by):
        n = x.shape[axis]
        at = np.clip((np.arange(n * s) + 0.5) / s - 0.5, 0, n - 1)
        low = np.minimum(at.astype(int), max(n - 2, 0))
        high = np.minimum(low + 1, n - 1)
        share = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
        x = (1 - share) * x.take(low, axis) + share * x.take(high, axis)
    return x


def embedding(i, table):
    return table[np.rint(i.real).astype(int)]


def full(x, filters, kernel, groups=1):
    return np.full((*kernel, x.shape[3] // groups, filters), 0.5)


def turned(x, filters, kernel):
    return np.full((*kernel, filters, x.shape[3]), 0.5)


causal = np.tril(np.ones((3, 3)))
ROWS = [
    ("conv_layer(a, b, c, 1, identity)", lambda a, b, c: conv(a, b, c), (1, 3, 3, 2), (2, 2, 2, 3), (3,)),
    ("grouped_layer(a, b, c, 2, 1, 1, identity)", lambda a, b, c: conv(a, b, c, groups=2),
     (1, 4, 3, 4), (2, 2, 2, 6), (6,)),
    ("grouped_layer(a, b, c, 2, [1, 2], [2, 1], identity)",
     lambda a, b, c: conv(a, b, c, (2, 1), (1, 2), 2), (1, 4, 5, 2), (2, 2, 1, 4), (4,)),
    ("dilated_layer(a, b, c, [2, 1], 1, identity)", lambda a, b, c: conv(a, b, c, 1, (2, 1)),
     (1, 5, 4, 2), (2, 2, 2, 3), (3,)),
    ("dilated_layer(a, b, c, 2, 2, identity)", lambda a, b, c: conv(a, b, c, 2, 2),
     (2, 6, 5, 1), (3, 2, 1, 1), (1,)),
    ("dilated_layer(a, b, c, 3, 1, tanh)", lambda a, b, c: np.tanh(conv(a, b, c, 1, 3)),
     (1, 4, 7, 1), (2, 3, 1, 2), (2,)),
    ("depthwise_layer(a, b, c, 1, 1, identity)", depthwise, (1, 4, 3, 3), (2, 3, 3, 1), (3,)),
    ("depthwise_layer(a, b, c, 1, [2, 1], identity)", lambda a, b, c: depthwise(a, b, c, (2, 1)),
     (1, 4, 3, 2), (2, 2, 2, 2), (4,)),
    ("depthwise_layer(a, b, c, [1, 2], [2, 3], tanh)",
     lambda a, b, c: np.tanh(depthwise(a, b, c, (2, 3), (1, 2))), (2, 5, 7, 1), (3, 2, 1, 3), (3,)),
    ("conv_transpose_layer(a, b, c, 2, 0, 0, 5, 7, identity)",
     lambda a, b, c: conv_transpose(a, b, 2, 0, 0, 5, 7, c), (1, 2, 3, 2), (3, 3, 2, 2), (2,)),
    ("conv_transpose_layer(a, b, c, [3, 1], 1, 1, 4, 2, identity)",
     lambda a, b, c: conv_transpose(a, b, (3, 1), 1, 1, 4, 2, c), (1, 2, 3, 1), (2, 3, 2, 1), (2,)),
    ("conv_transpose_layer(a, b, c, [2, 3], 1, 0, 5, 8, tanh)",
     lambda a, b, c: np.tanh(conv_transpose(a, b, (2, 3), 1, 0, 5, 8, c)), (1, 2, 2, 1), (4, 2, 1, 1), (1,)),
    # whole layers, with parameters that are all 0.5
    ("conv(a, 4, kernel=3, groups=2, dilation=2, init=0.5)",
     lambda a: conv(a, full(a, 4, (3, 3), 2), 0, 1, 2, 2, ((2, 2), (2, 2))), (1, 4, 3, 4)),
    ("conv(a, 4, kernel=[2, 3], stride=2, groups=2, init=0.5)",
     lambda a: conv(a, full(a, 4, (2, 3), 2), 0, 2, 1, 2, ((0, 0), (0, 1))), (1, 4, 4, 2)),
    ("conv(a, 6, kernel=3, groups=3, padding=1, init=0.5)",
     lambda a: conv(a, full(a, 6, (3, 3), 3), 0, 1, 1, 3, ((1, 1), (1, 1))), (1, 2, 3, 3)),
    ("depthwise_conv(a, 3, multiplier=2, dilation=[1, 2], init=0.5)",
     lambda a: conv(a, full(a, 4, (3, 3), 2), 0, 1, (1, 2), 2, ((1, 1), (2, 2))), (1, 3, 4, 2)),
    ("conv_transpose(a, 2, kernel=3, stride=2, init=0.5)",                     # Keras' "same"
     lambda a: conv_transpose(a, turned(a, 2, (3, 3)), 2, 0, 0, 4, 6), (1, 2, 3, 1)),
    ("conv_transpose(a, 1, kernel=5, stride=2, init=0.5)",
     lambda a: conv_transpose(a, turned(a, 1, (5, 5)), 2, 1, 1, 4, 4), (1, 2, 2, 1)),
    ("conv_transpose(a, 2, kernel=[2, 3], stride=[3, 1], padding=\"valid\", init=0.5)",
     lambda a: conv_transpose(a, turned(a, 2, (2, 3)), (3, 1), 0, 0, 5, 4), (1, 2, 2, 2)),
    ("conv_transpose(a, 1, kernel=3, stride=2, padding=1, output_padding=1, init=0.5)",   # PyTorch's
     lambda a: conv_transpose(a, turned(a, 1, (3, 3)), 2, 1, 1, 4, 6), (1, 2, 3, 2)),
    ("conv_transpose(a, 1, kernel=2, padding=[[0, 1], [1, 0]], output_padding=[1, 0], init=0.5)",
     lambda a: conv_transpose(a, turned(a, 1, (2, 2)), 1, 0, 1, 3, 3), (1, 2, 3, 1)),
    # 4 a + 5 are the whole numbers 0 .. 10, in another order; rows are left out and repeat
    ("embedding_layer(b, 4 * a + 5)", lambda a, b: embedding(4 * a + 5, b), (2, 7), (11, 2)),
    ("embedding_layer(b, maximum(4 * a, 0))",
     lambda a, b: embedding(np.maximum(4 * a.real, 0), b), (9,), (7, 3)),
    ("embedding(4 * a + 5, 11, 3, init=0.5)", lambda a: np.full((2, 2, 3), 0.5), (2, 2)),
    ("upsample(a, 2)", lambda a: a.repeat(2, 1).repeat(2, 2), (1, 2, 3, 2)),
    ("upsample(a, [1, 3])", lambda a: a.repeat(3, 2), (2, 2, 2, 1)),
    ("upsample(a, 2, mode=\"bilinear\")", lambda a: bilinear(a, (2, 2)), (1, 2, 3, 2)),
    ("upsample(a, [3, 4], mode=\"bilinear\")", lambda a: bilinear(a, (3, 4)), (1, 3, 2, 1)),
    ("upsample(a, [2, 1], mode=\"bilinear\")", lambda a: bilinear(a, (2, 1)), (1, 1, 2, 1)),
    ("layer_norm_layer(a, b, c, 1/1000)", lambda a, b, c: b * norm(a, -1) + c, (3, 4), (4,), (4,)),
    ("layer_norm(a, epsilon=1/1000)", lambda a: norm(a, -1), (2, 2, 3)),
    ("rms_norm_layer(a, b, 1/1000)", lambda a, b: b * norm(a, -1, False), (3, 4), (4,)),
    ("rms_norm(a, epsilon=1/1000)", lambda a: norm(a, -1, False), (2, 1, 2, 3)),
    ("group_norm_layer(a, b, c, 2, 1/1000)",
     lambda a, b, c: group_norm(a.reshape(2, 3, 2, 2), b, c), (2, 3, 4), (4,), (4,)),
    ("group_norm(a, 2, epsilon=1/1000)",
     lambda a: group_norm(a.reshape(2, 4, 2, 3), 1, 0).reshape(a.shape), (2, 2, 2, 6)),
    ("projection(a, 2, act=tanh, init=0.5)",
     lambda a: np.repeat(np.tanh(a.sum(-1, keepdims=True) / 2), 2, -1), (2, 3, 4)),
    ("attention_layer(a, b, c, \"none\")", attention, (1, 2, 3, 2), (1, 2, 4, 2), (1, 2, 4, 3)),
    ("attention_layer(a, b, c, tri(3))", lambda a, b, c: attention(a, b, c, causal),
     (1, 2, 3, 2), (1, 2, 3, 2), (1, 2, 3, 1)),
    ("multi_head_attention(a, 2, init=0.5)", lambda a: multi_head(a, a, 2, 0.5), (2, 3, 4)),
    ("multi_head_attention(a, 2, mask=\"causal\", init=0.5)",
     lambda a: multi_head(a, a, 2, 0.5, causal), (1, 3, 4)),
    ("multi_head_attention(a, 1, mask=tri(3)[:2], memory=b, init=0.5)",
     lambda a, b: multi_head(a, b, 1, 0.5, causal[:2]), (1, 2, 2), (1, 3, 2)),
    ("concat(lstm_cell(a, b, c, d, 1), axis=1)",
     lambda a, b, c, d: np.concatenate(lstm_cell(a, b, c, d, 1.0), 1), (2, 8), (2, 2), (2, 2), (2, 8)),
    ("gru_cell(a, b, c, d)", gru_cell, (2, 6), (2, 2), (2, 6), (6,)),
    ("lstm(a, 2, init=0.5)", lambda a: lstm(a, 2, 0.5), (2, 3, 2)),
    ("lstm(a, 2, sequences=True, forget_bias=1, init=0.5)", lambda a: lstm(a, 2, 0.5, True, 1.0), (1, 3, 2)),
    ("gru(a, 2, init=0.5)", lambda a: gru(a, 2, 0.5), (2, 3, 2)),
    ("gru(a, 2, sequences=True, init=0.5)", lambda a: gru(a, 2, 0.5, True), (1, 2, 3)),
]


def text(shape):
    return "[" + ", ".join(map(str, shape)) + "]"


def line(name, x):
    return " ".join([name] + ["%.12g" % (v + 0.0) for v in np.asarray(x).ravel()])


print("# Layers by NumPy, values and gradients: made by tests/numpy/layers.py, which says how.")
for call, f, *shapes in ROWS:
    x = [numbers(k, s) for k, s in enumerate(shapes)]
    y = f(*x).real
    cotangent = numbers(9, y.shape)
    print("====", *map(text, shapes))
    print(call)
    print(line(text(y.shape), y))
    for k, operand in enumerate(x):
        d = np.zeros(operand.shape)
        for at in np.ndindex(operand.shape):
            moved = [o.astype(complex) for o in x]
            moved[k][at] += 1e-200j
            d[at] = (cotangent * f(*moved).imag).sum() / 1e-200
        print(line("d" + "abcd"[k], d))
