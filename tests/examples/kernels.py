"""Backward passes as one writes them with NumPy, for spor verify --exec:

    spor verify kernels.spor --call layer_norm --block 64 --exec "python3 kernels.py {in} {out} layer_norm f32"

Inputs are read from {in}/arrays.npz, gradients are written to {out}/dNAME.npy, in f32, or each result rounded
to bf16. The last argument plants a mistake, to see it found. With --before dE=dE_before the embedding's gradient is
added to that.
"""
import sys

import numpy as np


def layer_norm(mistake, x, gamma, beta, dY):
    C = x.shape[1]
    c = x - x.mean(1, keepdims=True)
    over = C - 1 if mistake == 3 and C > 1 else C  # 3: the variance of a sample
    s = np.sqrt((c * c).sum(1, keepdims=True) / np.float32(over) + np.float32(0.001))
    y, g = c / s, gamma * dY
    mean = 0 if mistake == 1 else g.mean(1, keepdims=True)  # 1: what goes through the mean is left out
    dgamma = (y * dY).sum(0)
    if mistake == 2:
        dgamma[64:] = 0  # 2: a block and no more
    return {"dx": (g - mean - y * (g * y).mean(1, keepdims=True)) / s, "dgamma": dgamma, "dbeta": dY.sum(0)}


def attention(mistake, Q, K, V, dY):
    N, d = Q.shape
    scale = np.float32(1 / np.sqrt(d))
    seen = np.tril(np.ones((N, N), bool), 1 if mistake == 1 else 0)  # 1: row i sees row i + 1 too
    S = np.where(seen, Q @ K.T * scale, np.float32(-np.inf))
    P = np.exp(S - S.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    dP = dY @ V.T
    D = 0 if mistake == 3 else (P * dP).sum(1, keepdims=True)  # 3: without the row's sum
    dS = P * (dP - D) * (1 if mistake == 2 else scale)  # 2: without 1 / sqrt(d)
    return {"dQ": dS @ K, "dK": dS.T @ Q, "dV": P.T @ dY}


def cross_entropy(mistake, z, t, m, dY):
    P = np.exp(z - z.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    rows = np.arange(len(t))
    found = rows[t < 64] if mistake == 3 else rows  # 3: labels from 64 on are not found
    P[found, t[found]] -= 1
    weight = np.ones_like(m) if mistake == 1 else m  # 1: ignored rows have a gradient
    weight = weight * (1 if mistake == 2 else dY)  # 2: the cotangent is taken for 1
    return {"dz": weight[:, None] * P}


def embedding(mistake, E, i, dY, dE_before=None):
    added = dE_before is not None and mistake != 4  # 4: what was there before is overwritten
    dE = dE_before.copy() if added else np.zeros_like(E)
    if mistake == 1:
        dE[i] = dY  # 1: of two rows with one label the later one stays
    else:
        rows = slice(0, 64) if mistake == 3 else slice(None)  # 3: tokens behind the first 64 are lost
        np.add.at(dE, i[rows], dY[rows])
    if mistake == 2:
        dE[0] = 0  # 2: label 0 is taken for padding
    return {"dE": dE}


def depthwise(mistake, x, K, dY):
    (_, H, W, _), (k, l, _) = x.shape, K.shape
    P, Q = H - k + 1, W - l + 1
    dx, dK = np.zeros_like(x), np.zeros_like(K)
    for u in range(k):
        for v in range(l):
            dK[u, v] = (dY * x[:, u : u + P, v : v + Q]).sum((0, 1, 2))
            dx[:, u : u + P, v : v + Q] += dY * K[u, v]
    if mistake == 1:
        dK = dK[::-1, ::-1]  # 1: dK is rotated
    if mistake == 2:
        dx[:, :, -1] = 0  # 2: dx lacks its last column
    if mistake == 3 and P > 1:
        dK[-1] = dK[-2] if k > 1 else 0  # 3: the last row of the kernel has another one's
    return {"dx": dx, "dK": dK}


def rounded(x):
    """To bfloat16, to even where two are as near. NumPy has none: two bytes without a type are read as it."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").view("V2")


folder_in, folder_out, name, kind = sys.argv[1:5]
arrays = {key: value for key, value in np.load(folder_in + "/arrays.npz").items()}
gradients = globals()[name](int(sys.argv[5]) if len(sys.argv) > 5 else 0, **arrays)
for key, value in gradients.items():
    np.save(f"{folder_out}/{key}.npy", rounded(value) if kind == "bf16" else value.astype(np.float32))
