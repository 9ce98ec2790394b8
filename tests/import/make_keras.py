"""Makes files of tests/import/files: small networks of random weights, written by Keras, with inputs and what it computes of
them. Needs keras, onnx, and KERAS_BACKEND: tensorflow with tf2onnx, or torch with onnxscript.

    KERAS_BACKEND=tensorflow python3 make_keras.py FOLDER
"""

import os
import sys

import numpy as np


def save(folder, name, inputs, outputs):
    for what, arrays in (("x", inputs), ("y", outputs)):
        for k, array in enumerate(arrays):
            np.save(os.path.join(folder, f"{name}.{what}{k}.npy"), np.asarray(array, dtype=np.float32))


def strip(folder):
    """What exporters say of the Python that made it goes: paths, and most of the bytes."""
    import onnx
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".onnx"):
            continue
        path = os.path.join(folder, name)
        model = onnx.load(path)
        for node in model.graph.node:
            node.ClearField("doc_string")
            node.ClearField("metadata_props")
        del model.metadata_props[:]
        del model.graph.metadata_props[:]
        for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
            value.ClearField("metadata_props")
        del model.graph.value_info[:]
        onnx.save(model, path)


def convolutions(k):
    layers = k.layers
    x = k.Input((8, 8, 1), name="pixels")
    y = layers.Conv2D(3, 3, activation="relu", padding="same")(x)
    y = layers.BatchNormalization()(y)
    y = layers.MaxPooling2D()(y)
    y = layers.DepthwiseConv2D(3, padding="same")(y)
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="elu")(y)
    y = layers.Flatten()(y)
    y = layers.Dense(6, activation="swish")(y)
    y = layers.Dropout(0.3)(y)
    return x, layers.Dense(10, activation="softmax")(y)


def residual(k):
    layers = k.layers
    x = k.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    y = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(y))
    z = layers.SeparableConv2D(4, 3, padding="same", activation="relu6")(y)
    y = layers.add([y, z])
    y = layers.AveragePooling2D(2)(y)
    y = layers.Conv2DTranspose(3, 2, strides=2, activation="tanh")(y)
    y = layers.concatenate([layers.ZeroPadding2D(1)(y), layers.UpSampling2D((10, 10))(layers.AveragePooling2D(8)(x))])
    return x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y))


def attention(k):
    layers = k.layers
    x = k.Input((5,), dtype="int32")
    y = layers.Embedding(9, 6)(x)
    z = layers.LayerNormalization()(y)
    y = layers.add([y, layers.MultiHeadAttention(2, 3)(z, z)])
    y = layers.Dense(6, activation="relu")(y)
    return x, layers.Dense(3, activation="softmax")(layers.Flatten()(y))


def recurrent(k):
    layers = k.layers
    x = k.Input((5, 3))
    y = layers.LSTM(4, return_sequences=True)(x)
    last = layers.LSTM if k.backend.backend() == "tensorflow" else layers.GRU  # tf2onnx writes a GRU as a Loop
    return x, layers.Dense(2)(last(3)(y))


def make(folder):
    import keras as k
    for build in (convolutions, residual, attention, recurrent):
        k.utils.set_random_seed(len(build.__name__))
        name = f"keras_{k.backend.backend()}_{build.__name__}"
        x, y = build(k)
        model = k.Model(x, y)
        for weight in model.weights:
            if "moving" in weight.path or weight.shape and len(weight.shape) == 1:
                weight.assign(np.random.default_rng(1).uniform(0.2, 0.8, weight.shape).astype(np.float32))
        random = np.random.default_rng(0)
        shape = (3, *x.shape[1:])
        rows = random.integers(0, 9, shape).astype(np.int32) if x.dtype == "int32" else \
            random.normal(size=shape).astype(np.float32)
        try:
            said = np.asarray(model.predict(rows, verbose=0))
            model.export(os.path.join(folder, name + ".onnx"), format="onnx", verbose=False)
            save(folder, name, [rows], [said])
        except Exception as why:  # of an exporter: all kinds
            print(f"{name}: {type(why).__name__} {str(why)[:300]}")


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    make(sys.argv[1])
    strip(sys.argv[1])
