"""Makes files of tests/import/files: small networks of random weights, written by both exporters of PyTorch, with inputs
and what it computes of them. Needs torch, onnxscript, onnx.

    python3 make.py FOLDER [NAME]

NAME.onnx, NAME.x0.npy (as the file has it, [N, C, H, W]), NAME.y0.npy.
"""

import os
import sys
import warnings

warnings.simplefilter("ignore")
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from make_keras import save, strip  # noqa: E402


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 5, padding=2), nn.Conv2d(3, 4, 3)
        self.fc1, self.fc2 = nn.Linear(16, 12), nn.Linear(12, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(F.pad(x, (1, 1, 1, 1)))), 2)
        x = x.view(x.size(0), -1)
        return torch.softmax(self.fc2(torch.relu(self.fc1(x))), dim=1)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Tanh(), nn.Dropout(0.5), nn.Linear(10, 6), nn.SiLU(),
                                    nn.Linear(6, 5, bias=False), nn.ELU(), nn.Linear(5, 3))

    def forward(self, x):
        return self.layers(x)


class Block(nn.Module):
    def __init__(self, n, m, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n, m, 3, stride, 1, bias=False), nn.BatchNorm2d(m)
        self.conv2, self.bn2 = nn.Conv2d(m, m, 3, 1, 1, bias=False), nn.BatchNorm2d(m)
        self.short = nn.Sequential() if stride == 1 else nn.Sequential(nn.Conv2d(n, m, 1, stride, bias=False),
                                                                         nn.BatchNorm2d(m))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.layer1, self.layer2 = Block(4, 4, 1), Block(4, 6, 2)
        self.fc = nn.Linear(6, 10)

    def forward(self, x):
        x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Separable(nn.Module):
    def __init__(self):
        super().__init__()
        layers, n = [nn.Conv2d(3, 4, 3, 2, 1)], 4
        for m, stride in ((6, 1), (8, 2)):
            layers += [nn.Conv2d(n, n, 3, stride, 1, groups=n, bias=False), nn.BatchNorm2d(n), nn.ReLU6(),
                       nn.Conv2d(n, m, 1), nn.Hardswish(), nn.GroupNorm(2, m)]
            n = m
        self.layers = nn.Sequential(*layers)
        self.attend1, self.attend2 = nn.Conv2d(8, 3, 1), nn.Conv2d(3, 8, 1)
        self.fc = nn.Linear(8 * 2 * 2, 5)

    def forward(self, x):
        x = self.layers(x)
        s = F.hardsigmoid(self.attend2(F.relu(self.attend1(x.mean((2, 3), keepdim=True)))))
        x = F.avg_pool2d(x * s, 3, 2, 1)
        return F.log_softmax(self.fc(x.reshape(x.shape[0], -1)), dim=1)


class Encoder(nn.Module):
    """Token and place embeddings, one block of a transformer, written by hand as most are."""

    def __init__(self, size=8, heads=2, length=6):
        super().__init__()
        self.heads, self.size = heads, size
        self.token, self.place = nn.Embedding(11, size), nn.Embedding(length, size)
        self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.up, self.down = nn.Linear(size, 12), nn.Linear(12, size)
        self.head = nn.Linear(size, 4)

    def attend(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(x).split(self.size, dim=2)
        q, k, v = (y.view(n, t, self.heads, c // self.heads).transpose(1, 2) for y in (q, k, v))
        scores = (q @ k.transpose(-2, -1)) / (c // self.heads) ** 0.5
        mask = torch.tril(torch.ones(t, t, dtype=torch.bool))
        scores = scores.masked_fill(~mask, float("-inf"))
        y = torch.softmax(scores, -1) @ v
        return self.out(y.transpose(1, 2).contiguous().view(n, t, c))

    def forward(self, tokens):
        x = self.token(tokens) + self.place(torch.arange(tokens.shape[1]))
        x = x + self.attend(self.norm1(x))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.head(x.mean(1))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, 2, 1)
        self.code, self.back = nn.Linear(4 * 4 * 4, 5), nn.Linear(5, 4 * 4 * 4)
        self.up = nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1)
        self.last = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x):
        y = F.leaky_relu(self.down(x), 0.2)
        y = self.back(torch.tanh(self.code(y.flatten(1)))).view(-1, 4, 4, 4)
        y = F.interpolate(F.relu(self.up(y)), scale_factor=2, mode="nearest")
        return torch.sigmoid(F.max_pool2d(self.last(y), 2))


class Norms(nn.Module):
    """Norms that no convolution before them takes in."""

    def __init__(self):
        super().__init__()
        self.bn1, self.conv = nn.BatchNorm2d(2, eps=1e-3, momentum=0.2), nn.Conv2d(2, 6, 3)
        self.bn2, self.groups = nn.BatchNorm2d(6), nn.GroupNorm(3, 6)
        self.each, self.fc, self.bn3 = nn.InstanceNorm2d(6, affine=True), nn.Linear(54, 5), nn.BatchNorm1d(5)
        self.layer = nn.LayerNorm(5)

    def forward(self, x):
        x = self.bn2(F.max_pool2d(torch.tanh(self.conv(torch.relu(self.bn1(x)))), 2, 1))
        x = self.fc(self.each(self.groups(x)).flatten(1))
        return self.layer(self.bn3(torch.tanh(x)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(8, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)

    def forward(self, x):
        return self.fc(self.gru(self.lstm(x)[0])[1][-1])


class Two(nn.Module):
    """Two inputs, two outputs."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(5, 3)

    def forward(self, left, right):
        y = self.a(left) * torch.sigmoid(self.b(right))
        return y, torch.cat([y, left[:, 1:3]], 1).clamp(-1, 1)


class Patches(nn.Module):
    """A vision transformer's beginning: patches, a class token, PyTorch's own attention."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(1, 8, 4, 4)
        self.first, self.place = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 5, 8))
        self.norm, self.attend = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.place
        y = self.norm(x)
        x = x + self.attend(y, y, y, need_weights=False)[0]
        return self.head(x[:, 0])


image = lambda *shape: torch.randn(*shape)
NETWORKS = {
    "lenet": (LeNet, [image(3, 1, 8, 8)]),
    "mlp": (MLP, [image(3, 1, 8, 8)]),
    "resnet": (ResNet, [image(2, 3, 8, 8)]),
    "separable": (Separable, [image(2, 3, 16, 16)]),
    "encoder": (Encoder, [torch.randint(0, 11, (3, 6))]),
    "autoencoder": (Autoencoder, [image(2, 1, 8, 8)]),
    "norms": (Norms, [image(3, 2, 6, 6)]),
    "recurrent": (Recurrent, [image(3, 5, 3)]),
    "two": (Two, [image(3, 4), image(3, 5)]),
    "patches": (Patches, [image(3, 1, 8, 8)]),
}


def shake(model):
    """Norms that do something."""
    for module in model.modules():
        for which in ("running_mean", "weight", "bias"):
            value = getattr(module, which, None)
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.LayerNorm, nn.GroupNorm)) and value is not None:
                value.data = value.data + 0.3 * torch.randn(value.shape)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_var.data = 0.5 + torch.rand(module.running_var.shape)
    return model.eval()


def pytorch(folder, only=""):
    for name, (make, inputs) in NETWORKS.items():
        if only not in name:
            continue
        torch.manual_seed(len(name))
        model = shake(make())
        y = model(*inputs)
        outputs = [v.detach().numpy() for v in (y if isinstance(y, tuple) else (y,))]
        names = [f"in{k}" for k in range(len(inputs))]
        for kind in ("script", "dynamo"):
            path = os.path.join(folder, f"torch_{kind}_{name}.onnx")
            try:
                if kind == "script":
                    torch.onnx.export(model, tuple(inputs), path, dynamo=False, input_names=names,
                                      dynamic_axes={n: {0: "batch"} for n in names}, opset_version=14)
                else:
                    batch = torch.export.Dim("batch")
                    torch.onnx.export(model, tuple(inputs), path, dynamo=True, external_data=False, input_names=names,
                                      dynamic_shapes=tuple({0: batch} for _ in inputs), verbose=False)
                save(folder, f"torch_{kind}_{name}", [x.numpy() for x in inputs], outputs)
            except Exception as why:  # of an exporter: all kinds
                print(f"{kind} {name}: {type(why).__name__} {str(why)[:300]}")


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    pytorch(*sys.argv[1:])
    strip(sys.argv[1])
