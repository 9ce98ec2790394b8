"""The report's six networks as lists of layers, and how the steps of their twins in other frameworks are
timed: what twin_jax.py, twin_tensorflow.py and peers.py share."""
import argparse, statistics, time

# A layer: what it is, how many units or filters, what is applied to it. Convolutions are of 3 x 3, pools of 2 x 2;
# "same" pads. A dense layer of 10 without an activation is behind each.
SIX = {
    "densenet2_20": ((64,), 10, [("dense", 20, "sigmoid"), ("dense", 20, "sigmoid")]),
    "convnet1_3": ((8, 8, 1), 15, [("conv same", 3, "sigmoid"), ("dense", 20, "sigmoid")]),
    "densenet4_300": ((784,), 128, [("dense", units, "tanh") for units in (300, 128, 128, 64)]),
    "convkeras4_20": ((28, 28, 1), 30, [("conv", 20, "sigmoid"), ("pool", 2, None), ("conv", 20, "sigmoid"),
                                        ("pool same", 2, None), ("dense", 128, "sigmoid")]),
    "lenet2": ((32, 32, 3), 32,
               [layer for filters in (32, 32, 64, 120) for layer in (("conv same", filters, "tanh"), ("pool same", 2, None))]
               + [("dense", 128, "tanh")]),
    "convkeras12_32": ((32, 32, 3), 128,
                       [layer for filters in (32, 32, 64, 64, 128, 128)
                        for layer in (("conv same", filters, "relu"), ("pool same", 2, None))] + [("dense", 128, "relu")]),
}
RATE, BATCHES = 1e-5, 8


def arguments(description):
    """What a twin's program is told: a network, the mode, rows of a step (0: the network's), threads, how long."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("name", choices=SIX)
    options.add_argument("--mode", choices=["train", "infer"], default="train")
    options.add_argument("--batch", type=int, default=0)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--seconds", type=float, default=1)
    options.add_argument("--compile", action="store_true", help="TensorFlow: with XLA")
    return options.parse_args()


def milliseconds(step, seconds, finish=lambda result: None):
    """The median of blocks of some 30 ms, of steps 0, 1, 2 ...; finish waits for what a step returned."""
    for k in range(3): finish(step(k))
    begin = time.perf_counter()
    for k in range(3): finish(step(k))
    each = (time.perf_counter() - begin) / 3
    count, blocks, end = max(1, int(0.03 / each)), [], time.perf_counter() + seconds
    while len(blocks) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        for k in range(count): result = step(k)
        finish(result)
        blocks.append(1e3 * (time.perf_counter() - begin) / count)
    return statistics.median(blocks)
