"""Backward passes as one writes them with PyTorch, for spor verify --exec:

    spor verify kernels.spor --call layer_norm --exec "python3 kernels_torch.py {in} {out} layer_norm bf16"

Each is a torch.autograd.Function whose backward is by hand. Inputs are read from {in}/NAME.npy, result and gradients are
written to {out}, in f32, or rounded to bf16. The last argument plants a mistake, to see it found.
"""
import sys

import numpy as np
import torch

mistake = int(sys.argv[5]) if len(sys.argv) > 5 else 0


class LayerNorm(torch.autograd.Function):
    names = ["x", "gamma", "beta"]

    @staticmethod
    def forward(ctx, x, gamma, beta):
        c = x - x.mean(1, keepdim=True)
        s = torch.sqrt((c * c).mean(1, keepdim=True) + 0.001)
        ctx.save_for_backward(c / s, s, gamma)
        return gamma * c / s + beta

    @staticmethod
    def backward(ctx, dY):
        y, s, gamma = ctx.saved_tensors
        g = dY if mistake == 3 else gamma * dY  # 3: gamma is forgotten
        mean = 0 if mistake == 1 else g.mean(1, keepdim=True)  # 1: what goes through the mean is left out
        dx = (g - mean - y * (g * y).mean(1, keepdim=True)) / s
        dgamma = (y * dY).sum(0)
        if mistake == 2:
            dgamma[64:] = 0  # 2: a block and no more
        return dx, dgamma, dY.sum(0)


class Attention(torch.autograd.Function):
    names = ["Q", "K", "V"]

    @staticmethod
    def forward(ctx, Q, K, V):
        N, scale = Q.shape[0], Q.shape[1] ** -0.5
        hidden = torch.ones(N, N, dtype=torch.bool).triu(2 if mistake == 1 else 1)  # 1: sees one row more
        P = torch.softmax((Q @ K.T * scale).masked_fill(hidden, -torch.inf), 1)
        ctx.save_for_backward(Q, K, V, P)
        return P @ V

    @staticmethod
    def backward(ctx, dY):
        Q, K, V, P = ctx.saved_tensors
        dP = dY @ V.T
        D = 0 if mistake == 3 else (P * dP).sum(1, keepdim=True)  # 3: without the row's sum
        dS = P * (dP - D) * (1 if mistake == 2 else Q.shape[1] ** -0.5)  # 2: without 1 / sqrt(d)
        return dS @ K, dS.T @ Q, P.T @ dY


class CrossEntropy(torch.autograd.Function):
    names = ["z", "t", "m"]

    @staticmethod
    def forward(ctx, z, t, m):
        ctx.save_for_backward(z, t, m)
        return (m * (torch.logsumexp(z, 1) - z.gather(1, t[:, None])[:, 0])).sum()

    @staticmethod
    def backward(ctx, dY):
        z, t, m = ctx.saved_tensors
        weight = torch.ones_like(m) if mistake == 1 else m  # 1: ignored rows have a gradient
        if mistake == 3:
            weight = weight / m.sum().clamp(min=1)  # 3: the mean, where the sum is meant
        labels = torch.nn.functional.one_hot(t, z.shape[1])
        return weight[:, None] * (torch.softmax(z, 1) - labels) * (1 if mistake == 2 else dY), None, None  # 2


class Embedding(torch.autograd.Function):
    names = ["E", "i"]

    @staticmethod
    def forward(ctx, E, i):
        ctx.save_for_backward(E, i)
        return E[i]

    @staticmethod
    def backward(ctx, dY):
        E, i = ctx.saved_tensors
        dE = torch.zeros_like(E)
        if mistake == 1:
            dE[i] = dY  # 1: of two rows with one label one stays
        else:
            rows = slice(0, 64) if mistake == 3 else slice(None)  # 3: tokens behind the first 64 are lost
            dE.index_add_(0, i[rows], dY[rows])
        if mistake == 2:
            dE[0] = 0  # 2: label 0 is taken for padding
        return dE, None


class Depthwise(torch.autograd.Function):
    names = ["x", "K"]

    @staticmethod
    def forward(ctx, x, K):
        ctx.save_for_backward(x, K)
        image = x.permute(0, 3, 1, 2)
        y = torch.nn.functional.conv2d(image, K.permute(2, 0, 1)[:, None], groups=K.shape[2])
        return y.permute(0, 2, 3, 1)

    @staticmethod
    def backward(ctx, dY):
        x, K = ctx.saved_tensors
        P, Q = dY.shape[1:3]
        dx, dK = torch.zeros_like(x), torch.zeros_like(K)
        for u in range(K.shape[0]):
            for v in range(K.shape[1]):
                dK[u, v] = (dY * x[:, u : u + P, v : v + Q]).sum((0, 1, 2))
                dx[:, u : u + P, v : v + Q] += dY * K[u, v]
        if mistake == 1:
            dK = dK.flip(0, 1)  # 1: dK is rotated
        if mistake == 2:
            dx[:, :, -1] = 0  # 2: dx lacks its last column
        return dx, dK / x.shape[0] if mistake == 3 else dK  # 3: the mean over samples


kernels = {"layer_norm": LayerNorm, "attention": Attention, "cross_entropy": CrossEntropy,
           "embedding": Embedding, "depthwise": Depthwise}
folder_in, folder_out, name, kind = sys.argv[1:5]


def read(array):
    return torch.from_numpy(np.load(f"{folder_in}/{array}.npy"))


inputs = [read(array) for array in kernels[name].names]
inputs = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
Y = kernels[name].apply(*inputs)
Y.backward(read("dY"))
for array, of in [("Y", Y)] + [("d" + n, x.grad) for n, x in zip(kernels[name].names, inputs)]:
    if of is None:
        continue
    of = of.detach().contiguous()
    number = of.to(torch.bfloat16).view(torch.int16).numpy().view("V2") if kind == "bf16" else of.numpy()
    np.save(f"{folder_out}/{array}.npy", number)
