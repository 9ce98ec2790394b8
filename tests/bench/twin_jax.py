#!/usr/bin/env python3
"""Milliseconds a step of one of the report's six networks in JAX, jitted, parameters given away; images are
[N, H, W, C]. One thread: to be pinned to a core by who calls."""
import os
import twins

a = twins.arguments(__doc__)
os.environ["JAX_PLATFORMS"], os.environ["NPROC"] = "cpu", str(a.threads)
if a.threads == 1: os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax, numpy as np
from jax import lax, numpy as jnp

shape, batch, layers = twins.SIX[a.name]
layers, batch = layers + [("dense", 10, None)], a.batch or batch
act = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, None: lambda x: x}
random = np.random.default_rng(1)


def weights(*of):
    return jnp.asarray(random.normal(size=of) / np.prod(of[:-1]) ** 0.5, jnp.float32), jnp.zeros(of[-1], jnp.float32)


def network(x, parameters, new=None):
    """Logits of x; a list `new` is given parameters first."""
    given = iter(parameters)
    for kind, size, f in layers:
        if kind == "dense": x = x.reshape(x.shape[0], -1)
        if new is not None and not kind.startswith("pool"):
            new.append(weights(x.shape[1], size) if kind == "dense" else weights(3, 3, x.shape[3], size))
        W, b = (0, 0) if kind.startswith("pool") else new[-1] if new is not None else next(given)
        padding = "SAME" if kind.endswith("same") else "VALID"
        if kind == "dense": x = x @ W + b
        elif kind.startswith("conv"):
            x = lax.conv_general_dilated(x, W, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
        else: x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), padding)
        x = act[f](x)
    return x


x = [jax.device_put(random.normal(size=(batch, *shape)).astype(np.float32)) for _ in range(twins.BATCHES)]
y = [jax.device_put(np.eye(10, dtype=np.float32)[random.integers(0, 10, batch)]) for _ in range(twins.BATCHES)]
start = []
network(x[0], [], start)


def cost(parameters, x, y):
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(network(x, parameters)) * y, axis=1))


def trained(parameters, x, y):
    gradients = jax.grad(cost)(parameters, x, y)
    return jax.tree.map(lambda w, dw: w - twins.RATE * dw, parameters, gradients)


train = jax.jit(trained, donate_argnums=0)
infer = jax.jit(lambda parameters, x: jax.nn.softmax(network(x, parameters)))
now = [start]


def step(k):
    k %= twins.BATCHES
    if a.mode == "infer": return infer(start, x[k])
    now[0] = train(now[0], x[k], y[k])
    return now[0]


print(twins.milliseconds(step, a.seconds, jax.block_until_ready))
