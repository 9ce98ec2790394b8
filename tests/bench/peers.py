#!/usr/bin/env python3
"""spor beside PyTorch, in turn: the report's six networks and those of outside.spor.

    peers.py [--spor build/spor] [--rounds 3] [--threads 1] [--mode train] [--batch B] [NAME ...]
    peers.py --jax PYTHON --tensorflow PYTHON --kann PROGRAM lenet2     these too, of the six

A round times, for each network, spor and the others' configurations, each in a process of its own,
one after the other; the table has medians of the rounds, in milliseconds, and the best of each of the
others divided by spor: above 1 spor is faster. One thread is pinned to a core. PyTorch runs eagerly, with a
foreach SGD (a fused Adam), in both layouts of images, where they are there with Debian's tcmalloc and with MKL's check
for its maker's processors answered, without which its products run at half their speed on others'.
--compile adds torch.compile. Needs PyTorch 2 (PyPI); JAX and TensorFlow (PyPI) may each have a Python of
their own; for KANN see twin_kann.c, several programs may be given. A program, not a test.
"""
import argparse, glob, math, os, statistics, subprocess, sys, tempfile

import twins

HERE = os.path.dirname(os.path.abspath(__file__))
SIX = list(twins.SIX)
# in the order of outside.spor
OUTSIDE = ["plain", "normalized", "averaged", "overlapping", "kernels_of_5", "kernels_of_7", "pointwise",
           "strided", "global_mean", "residuals", "residuals_normalized", "double_convolutions",
           "large_maps", "two_relu", "two_averaged", "two_swish", "two_clipped", "two_leaky",
           "two_normalized", "two_dropped", "two_branches", "perceptron1024", "perceptron4096",
           "each_row", "attention64", "recurrent64", "lstm128", "separable", "dilated", "grouped", "hourglass",
           "groups4", "groups32", "squeezed", "residual_stages", "series", "encoders", "gru64", "two_lstm128",
           "batch_normed512", "layer_normed512", "dropped512", "gelu512", "by_adam"]


# ---- the networks in PyTorch; images are [N, C, H, W] there ----

def networks():
    import torch
    from torch import nn

    class Of(nn.Module):  # a function of modules
        def __init__(self, function, *parts):
            super().__init__()
            self.function, self.parts = function, nn.ModuleList(parts)

        def forward(self, x):
            return self.function(x, *self.parts)

    def conv(c, f, k=3, s=1, p=None): return nn.Conv2d(c, f, k, s, k // 2 if p is None else p)
    def rc(c, f, k=3, s=1): return [conv(c, f, k, s), nn.ReLU()]
    def bn(c, f): return [conv(c, f), nn.BatchNorm2d(f), nn.ReLU()]
    def pool(k, s=None, ceil=False): return nn.MaxPool2d(k, s, ceil_mode=ceil)
    def head(n): return [nn.Flatten(), nn.Linear(n, 10)]
    def two(first, last): return [conv(3, 32), *first, conv(32, 32), *last, *head(2048)]

    def block():
        return Of(lambda x, f: torch.relu(x + f(x)), nn.Sequential(*rc(32, 32), conv(32, 32)))

    def block_bn():
        return Of(lambda x, f: torch.relu(x + f(x)), nn.Sequential(*bn(32, 32), conv(32, 32), nn.BatchNorm2d(32)))

    class Attention(nn.Module):
        def __init__(self, n, m):
            super().__init__()
            self.q, self.k, self.v = nn.Linear(n, m), nn.Linear(n, m), nn.Linear(n, m)

        def forward(self, x):
            q, k, v = self.q(x), self.k(x), self.v(x)
            return torch.softmax(q @ k.transpose(1, 2) / q.shape[-1] ** 0.5, -1) @ v

    class Cells(nn.Module):  # written out step by step
        def __init__(self, n, m, gates):
            super().__init__()
            self.m = m
            self.W = nn.Parameter(torch.randn(n, gates * m) / n ** 0.5)
            self.U = nn.Parameter(torch.randn(m, gates * m) / m ** 0.5)
            self.b = nn.Parameter(torch.zeros(gates * m))

        def forward(self, x):
            h = c = x.new_zeros(x.shape[0], self.m)
            for t in range(x.shape[1]):
                z = x[:, t] @ self.W + h @ self.U + self.b
                if z.shape[1] == self.m:
                    h = torch.tanh(z)
                else:
                    i, f, o, g = z.chunk(4, 1)
                    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                    h = torch.sigmoid(o) * torch.tanh(c)
            return h

    class Last(nn.Module):  # of the library's own recurrent layers
        def __init__(self, kind, *sizes):
            super().__init__()
            self.layer = kind(*sizes, batch_first=True)

        def forward(self, x):
            return self.layer(x)[0][:, -1]

    class Hourglass(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = conv(3, 16), conv(16, 32), conv(32, 64)
            self.up, self.d = nn.ConvTranspose2d(64, 32, 2, 2), conv(64, 32)
            self.upper, self.e = nn.ConvTranspose2d(32, 16, 2, 2), conv(32, 16)

        def forward(self, x):
            half = nn.functional.max_pool2d
            a = torch.relu(self.a(x))
            b = torch.relu(self.b(half(a, 2)))
            c = torch.relu(self.c(half(b, 2)))
            d = torch.relu(self.d(torch.cat([self.up(c), b], 1)))
            return half(torch.relu(self.e(torch.cat([self.upper(d), a], 1))), 4)

    class Heads(nn.Module):
        def __init__(self, n, heads):
            super().__init__()
            self.heads, self.of, self.out = heads, nn.Linear(n, 3 * n), nn.Linear(n, n)

        def forward(self, x):
            N, T, n = x.shape
            q, k, v = self.of(x).reshape(N, T, 3, self.heads, n // self.heads).permute(2, 0, 3, 1, 4)
            y = nn.functional.scaled_dot_product_attention(q, k, v)
            return self.out(y.transpose(1, 2).reshape(N, T, n))

    def encoder():
        add = lambda x, f: x + f(x)
        return [Of(add, nn.Sequential(nn.LayerNorm(64), Heads(64, 4))),
                Of(add, nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64)))]

    def stage(c, f, s):
        way = nn.Sequential(nn.Conv2d(c, f, 1, s), nn.BatchNorm2d(f)) if s == 2 else nn.Identity()
        return Of(lambda x, f, way: torch.relu(way(x) + f(x)),
                  nn.Sequential(conv(c, f, 3, s), nn.BatchNorm2d(f), nn.ReLU(), conv(f, f), nn.BatchNorm2d(f)), way)

    def squeeze():
        gate = nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 32), nn.Sigmoid())
        return Of(lambda x, g: x * g(x.mean((2, 3)))[:, :, None, None], gate)

    def layers512(*between): return [m for n in (1024, 512, 512) for m in [nn.Linear(n, 512)] + [b() for b in between]]
    def normed(groups): return [conv(3, 32), nn.GroupNorm(groups, 32), nn.ReLU(), pool4, *head(2048)]
    def apart(c, f): return [nn.Conv2d(c, c, 3, 1, 1, groups=c), *rc(c, f, 1), pool(2)]

    def dense(sizes, act): return [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), act())]
    cat = Of(lambda x, a, b: torch.cat([torch.relu(a(x)), torch.relu(b(x))], 1), conv(32, 16), conv(32, 16, 1))
    mean = Of(lambda x: x.mean((2, 3)))
    clip = lambda: Of(lambda x: torch.maximum(x, torch.zeros(())))
    image, large, row, rows = (3, 32, 32), (3, 64, 64), (1024,), (28, 28)
    relu, pool4 = nn.ReLU, pool(4)

    def report(sample, layers):  # one of the six
        acts, size = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}, list(sample)
        for kind, n, act in layers + [("dense", 10, None)]:
            same = kind.endswith("same")
            if kind == "dense" and len(size) > 1:
                yield nn.Flatten()
                size = [math.prod(size)]
            if kind == "dense":
                yield nn.Linear(size[0], n)
                size = [n]
            elif kind.startswith("conv"):
                yield conv(size[0], n, p=int(same))
                size = [n] + [rows if same else rows - 2 for rows in size[1:]]
            else:
                yield pool(n, ceil=same)
                size[1:] = [(rows + n - 1 if same else rows) // n for rows in size[1:]]
            if act: yield acts[act]()

    def first(sample): return sample[-1:] + sample[:-1]  # of an image the channels
    six = {name: (lambda sample=first(sample), layers=layers: list(report(sample, layers)), first(sample), batch)
           for name, (sample, batch, layers) in twins.SIX.items()}

    # name: modules, shape of a sample, batch
    return {
        **six,
        "plain": (lambda: [*rc(3, 32), pool(2), *rc(32, 64), pool(2), *head(4096)], image, 32),
        "normalized": (lambda: [*bn(3, 32), pool(2), *bn(32, 64), pool(2), *head(4096)], image, 32),
        "averaged": (lambda: [*rc(3, 32), nn.AvgPool2d(2), *rc(32, 64), nn.AvgPool2d(2), *head(4096)], image, 32),
        "overlapping": (lambda: [*rc(3, 32), pool(3, 2), *rc(32, 64), pool(3, 2), *head(3136)], image, 32),
        "kernels_of_5": (lambda: [*rc(3, 32, 5), pool(2), *rc(32, 64, 5), pool(2), *head(4096)], image, 32),
        "kernels_of_7": (lambda: [*rc(3, 32, 7), pool(2), *rc(32, 64, 7), pool(2), *head(4096)], image, 32),
        "pointwise": (lambda: [*rc(3, 64), *rc(64, 64, 1), *rc(64, 64, 1), *rc(64, 64, 1), pool4, *head(4096)],
                      image, 32),
        "strided": (lambda: [*rc(3, 32, s=2), *rc(32, 64, s=2), *rc(64, 128, s=2), *head(2048)], image, 32),
        "global_mean": (lambda: [*rc(3, 32), *rc(32, 64), mean, *head(64)], image, 32),
        "residuals": (lambda: [*rc(3, 32), block(), block(), pool4, *head(2048)], image, 32),
        "residuals_normalized": (lambda: [*rc(3, 32), block_bn(), block_bn(), pool4, *head(2048)], image, 32),
        "double_convolutions": (lambda: [*rc(3, 64), *rc(64, 64), pool(2), *rc(64, 128), *rc(128, 128), pool(2),
                                         *head(32768)], large, 16),
        "large_maps": (lambda: [*rc(3, 64), *rc(64, 64), pool(8), *head(4096)], large, 16),
        "two_relu": (lambda: two([relu()], [relu(), pool4]), image, 32),
        "two_averaged": (lambda: two([relu()], [relu(), nn.AvgPool2d(4)]), image, 32),
        "two_swish": (lambda: two([nn.SiLU()], [nn.SiLU(), pool4]), image, 32),
        "two_clipped": (lambda: two([clip()], [clip(), pool4]), image, 32),
        "two_leaky": (lambda: two([nn.LeakyReLU(0.1)], [nn.LeakyReLU(0.1), pool4]), image, 32),
        "two_normalized": (lambda: two([nn.BatchNorm2d(32), relu()], [relu(), pool4]), image, 32),
        "two_dropped": (lambda: two([relu(), nn.Dropout(0.25)], [relu(), pool4]), image, 32),
        "two_branches": (lambda: [*rc(3, 32), cat, pool4, *head(2048)], image, 32),
        "perceptron1024": (lambda: dense([1024] * 4, relu) + [nn.Linear(1024, 10)], row, 256),
        "perceptron4096": (lambda: dense([1024, 4096, 4096], relu) + [nn.Linear(4096, 10)], row, 256),
        "each_row": (lambda: dense([28, 128, 128], nn.Tanh) + head(28 * 128), rows, 64),
        "attention64": (lambda: [Attention(28, 64), *head(28 * 64)], rows, 64),
        "recurrent64": (lambda: [Cells(28, 64, 1), nn.Linear(64, 10)], rows, 64),
        "lstm128": (lambda: [Cells(28, 128, 4), nn.Linear(128, 10)], rows, 64),
        "lstm128 (library)": (lambda: [Last(nn.LSTM, 28, 128), nn.Linear(128, 10)], rows, 64),
        "separable": (lambda: [*rc(3, 32), *apart(32, 64), *apart(64, 128), *head(8192)], image, 32),
        "dilated": (lambda: [*rc(3, 32), nn.Conv2d(32, 32, 3, 1, 2, 2), relu(), pool4, *head(2048)], image, 32),
        "grouped": (lambda: [*rc(3, 64), nn.Conv2d(64, 64, 3, 1, 1, groups=4), relu(), pool4, *head(4096)], image, 32),
        "hourglass": (lambda: [Hourglass(), *head(1024)], image, 32),
        "groups4": (lambda: normed(4), image, 32),
        "groups32": (lambda: normed(32), image, 32),
        "squeezed": (lambda: [*rc(3, 32), squeeze(), pool4, *head(2048)], image, 32),
        "residual_stages": (lambda: [*rc(3, 16), stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2), mean, *head(64)],
                            image, 32),
        "series": (lambda: [nn.Unflatten(1, (8, 128)), nn.Conv1d(8, 32, 5, 1, 2), relu(), nn.MaxPool1d(2),
                            nn.Conv1d(32, 64, 5, 1, 2), relu(), nn.MaxPool1d(2), *head(2048)], row, 32),
        "encoders": (lambda: [nn.Linear(28, 64), *encoder(), *encoder(), *head(28 * 64)], rows, 32),
        "gru64": (lambda: [Last(nn.GRU, 28, 64), nn.Linear(64, 10)], rows, 64),
        "two_lstm128": (lambda: [Last(nn.LSTM, 28, 128, 2), nn.Linear(128, 10)], rows, 32),
        "batch_normed512": (lambda: layers512(lambda: nn.BatchNorm1d(512)) + head(512), row, 128),
        "layer_normed512": (lambda: layers512(lambda: nn.LayerNorm(512)) + head(512), row, 128),
        "dropped512": (lambda: layers512(relu, lambda: nn.Dropout(0.5)) + head(512), row, 128),
        "gelu512": (lambda: layers512(nn.GELU) + head(512), row, 128),
        "by_adam": (lambda: dense([1024, 512, 512], relu) + [nn.Linear(512, 10)], row, 64),
    }


# ---- timing, in a process of its own ----

def stepper(a):
    import torch
    from torch import nn
    torch.set_num_threads(a.threads)
    modules, shape, batch = networks()[a.time]
    batch = a.batch or batch
    net = nn.Sequential(*modules())
    layout = torch.channels_last if a.layout == "last" and len(shape) == 3 else torch.contiguous_format
    if len(shape) == 3: net = net.to(memory_format=layout)
    x = [torch.randn(batch, *shape).contiguous(memory_format=layout) if len(shape) == 3 else torch.randn(batch, *shape)
         for _ in range(8)]
    y = [torch.randint(0, 10, (batch,)) for _ in range(8)]
    if a.mode != "train":
        net = nn.Sequential(net, nn.Softmax(1)).eval()
        run = torch.compile(net) if a.compile else net
        torch.inference_mode().__enter__()
        return lambda k: run(x[k % 8])
    cost = lambda u, v: nn.functional.cross_entropy(net(u), v)
    run = torch.compile(cost) if a.compile else cost
    rule, how = (torch.optim.Adam, "fused") if a.time == "by_adam" else (torch.optim.SGD, "foreach")
    optimizer = rule(net.parameters(), lr=1e-5, **{how: True})

    def step(k):
        run(x[k % 8], y[k % 8]).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return step


# ---- rounds ----

def run(a, command, preload="", library_threads=None):
    environment = dict(os.environ, LD_PRELOAD=preload, OMP_NUM_THREADS=str(library_threads or a.threads))
    pinned = ["taskset", "-c", str(a.core)] if a.threads == 1 else []
    return subprocess.run(pinned + command, env=environment, check=True, capture_output=True, text=True).stdout


def spor(a, name):
    script = os.path.join(HERE, "outside.spor")
    which = ["--set", "which=%d" % OUTSIDE.index(name)] if name in OUTSIDE else []
    if name in SIX: script = os.path.join(HERE, "..", "..", "models", name + ".spor")
    batch = ["--batch", str(a.batch)] if a.batch else []
    out = run(a, [a.spor, "bench", script, *which, *batch, "--mode", a.mode, "--threads", str(a.threads),
                  "--seconds", str(a.seconds)])
    return statistics.median(float(line.split("\t")[5]) for line in out.splitlines())


def twin(a, name, command, preload="", extra=[]):
    """Of a framework that has a program of its own."""
    mode = "train" if a.mode == "train" else "infer"
    return float(run(a, command + [name, "--mode", mode, "--batch", str(a.batch), "--threads", str(a.threads),
                                   "--seconds", str(a.seconds)] + extra, preload))


def kann(a, name, program, own):
    """With so many threads of its own, which training alone can have; if it has one, OpenBLAS has the others."""
    mode, batch = "train" if a.mode == "train" else "infer", a.batch or twins.SIX[name][1]
    command = [program, name, mode, str(batch), str(a.seconds)] + [str(own)] * (own > 1)
    try: return float(run(a, command, library_threads=1 if own > 1 else a.threads))
    except subprocess.CalledProcessError: return float("nan")


def others(a, preload):
    """(who, configuration): milliseconds of a network, of those besides PyTorch that were asked for."""
    ways, of = {}, lambda file: os.path.join(HERE, file)
    if a.jax: ways["JAX", "jit"] = lambda name: twin(a, name, [a.jax, of("twin_jax.py")])
    if a.tensorflow:
        command = [a.tensorflow, of("twin_tensorflow.py")]
        ways["TensorFlow", "plain"] = lambda name: twin(a, name, command, preload)
        ways["TensorFlow", "XLA"] = lambda name: twin(a, name, command, preload, ["--compile"])
    for program in a.kann:
        for own in {1, a.threads if a.mode == "train" else 1}:
            ways["KANN", "%s, %d of its own" % (os.path.basename(program), own)] = \
                lambda name, program=program, own=own: kann(a, name, program, own)
    return ways


def torch(a, name, layout, preload, compiled=False):
    command = [sys.executable, __file__, "--time", name, "--layout", layout, "--mode", a.mode, "--threads",
               str(a.threads), "--seconds", str(a.seconds)]
    command += ["--batch", str(a.batch)] + ["--compile"] * compiled
    return float(run(a, command, preload))


def preloads(folder):
    """tcmalloc, and a library that answers MKL's question, where they can be had."""
    libraries = glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")[:1]
    source, answer = os.path.join(folder, "answer.c"), os.path.join(folder, "answer.so")
    with open(source, "w") as file:
        file.write("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    if not subprocess.run(["cc", "-shared", "-fPIC", "-o", answer, source]).returncode: libraries.append(answer)
    return ":".join(libraries)


def compare(a, names):
    layouts = {name: ["first", "last"] if len(shape) == 3 else ["first"] for name, (_, shape, _) in networks().items()}
    times, who = {}, ["PyTorch"]
    with tempfile.TemporaryDirectory() as folder:
        preload = preloads(folder)
        ways = others(a, glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")[0] if preload.count("tcmalloc") else "")
        who += sorted({peer for peer, _ in ways}, key=["JAX", "TensorFlow", "KANN"].index)
        print("preloaded for PyTorch:", preload or "nothing", file=sys.stderr)
        for turn in range(a.rounds):
            for name in names:
                times.setdefault((name, "spor"), []).append(spor(a, name))
                for of in [name] + ["lstm128 (library)"] * (name == "lstm128"):
                    for layout in layouts[name]:
                        for compiled in [False, True][:1 + a.compile]:
                            way = ("PyTorch", "channels " + layout, "compiled" if compiled else "eager",
                                   *["nn.LSTM"] * ("library" in of))
                            times.setdefault((name, way), []).append(torch(a, of, layout, preload, compiled))
                for way, timed in ways.items():
                    if name in SIX: times.setdefault((name, way), []).append(timed(name))
                print("round %d: %s" % (turn + 1, name), file=sys.stderr)
    print("%-22s %10s" % ("network", "spor, ms") + "".join("%12s %6s" % (peer, "ratio") for peer in who) + "  the best of each")
    for name in names:
        median = {way: statistics.median(values) for (n, way), values in times.items() if n == name}
        own = median.pop("spor")
        line, bests = "%-22s %10.5f" % (name, own), []
        for peer in who:
            best = min((way for way in median if way[0] == peer and median[way] == median[way]), key=median.get, default=None)
            line += "%12.5f %6.2f" % (median[best], median[best] / own) if best else "%12s %6s" % ("-", "-")
            bests += [" ".join(best[1:])] if best else []
        print(line + "  " + ", ".join(bests))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME", help="networks; all if none is named")
    options.add_argument("--spor", default=os.path.join(HERE, "..", "..", "build", "spor"))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--mode", choices=["train", "infer", "predict"], default="train",
                         help="predict: spor's rows have the same bits whatever rows are beside them")
    options.add_argument("--batch", type=int, default=0)
    options.add_argument("--seconds", type=float, default=1)
    options.add_argument("--core", type=int, default=0, help="which one thread is pinned to")
    options.add_argument("--compile", action="store_true")
    options.add_argument("--jax", metavar="PYTHON")
    options.add_argument("--tensorflow", metavar="PYTHON")
    options.add_argument("--kann", metavar="PROGRAM", action="append", default=[])
    options.add_argument("--time", help=argparse.SUPPRESS)
    options.add_argument("--layout", default="first", help=argparse.SUPPRESS)
    a = options.parse_args()
    unknown = [name for name in a.names if name not in SIX + OUTSIDE]
    if unknown: options.error("no network is called %s; there are %s" % (unknown[0], ", ".join(SIX + OUTSIDE)))
    if a.time: print(twins.milliseconds(stepper(a), a.seconds))
    else: compare(a, a.names or SIX + OUTSIDE)


if __name__ == "__main__": main()
