#!/usr/bin/env python3
"""Milliseconds a step of one of the report's six networks in TensorFlow: layers of Keras, a tf.function with
the leanest update, with --compile by XLA; images are [N, H, W, C]."""
import os
import twins

a = twins.arguments(__doc__)
os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["CUDA_VISIBLE_DEVICES"] = "3", ""
import keras, numpy as np, tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(a.threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
shape, batch, layers = twins.SIX[a.name]
batch = a.batch or batch
random = np.random.default_rng(1)


def network():
    parts, flat = [keras.Input(shape)], len(shape) == 1
    for kind, size, f in layers + [("dense", 10, None)]:
        padding = "same" if kind.endswith("same") else "valid"
        if kind == "dense" and not flat:
            parts.append(keras.layers.Flatten())
            flat = True
        if kind == "dense": parts.append(keras.layers.Dense(size, activation=f))
        elif kind.startswith("conv"): parts.append(keras.layers.Conv2D(size, 3, padding=padding, activation=f))
        else: parts.append(keras.layers.MaxPooling2D(size, padding=padding))
    return keras.Sequential(parts)


net = network()
variables = [v.value if hasattr(v, "value") and not isinstance(v, tf.Variable) else v for v in net.trainable_variables]


@tf.function(jit_compile=a.compile)
def train(x, y):
    with tf.GradientTape() as tape:
        cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, net(x, training=True)))
    for v, dv in zip(variables, tape.gradient(cost, variables)): v.assign_sub(twins.RATE * dv)
    return cost


@tf.function(jit_compile=a.compile)
def infer(x):
    return tf.nn.softmax(net(x, training=False))


x = [tf.constant(random.normal(size=(batch, *shape)).astype(np.float32)) for _ in range(twins.BATCHES)]
y = [tf.constant(np.eye(10, dtype=np.float32)[random.integers(0, 10, batch)]) for _ in range(twins.BATCHES)]
step = (lambda k: train(x[k % 8], y[k % 8])) if a.mode == "train" else (lambda k: infer(x[k % 8]))
print(twins.milliseconds(step, a.seconds, np.asarray))
