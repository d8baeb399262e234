"""Measures in PyTorch what `CnnNative.Benchmarks compare` measures, with the same names and the same lines of JSON.

Usage: pytorch_cpu.py THREADS [FILTER]; bench/compare-cpu runs it in an environment that is fair to PyTorch.
"""
import json
import sys
import time

import torch
from torch import nn

SAMPLES, WARM_UP, SAMPLE = 7, 0.500, 0.020
BATCH = 64

# name, images, channels, size, filters, filter size, padding, groups
CONVOLUTIONS = [
    ("3x3 64->64, 56x56, batch 8", 8, 64, 56, 64, 3, 1, 1),
    ("1x1 256->64, 56x56, batch 8", 8, 256, 56, 64, 1, 0, 1),
    ("depthwise 3x3 128, 56x56, batch 8", 8, 128, 56, 128, 3, 1, 128),
    ("LeNet-5 conv1, batch 64", BATCH, 1, 28, 6, 5, 2, 1),
    ("LeNet-5 conv2, batch 64", BATCH, 6, 14, 16, 5, 0, 1),
    ("MyCNN conv1, batch 64", BATCH, 3, 32, 16, 3, 1, 1),
    ("MyCNN conv2, batch 64", BATCH, 16, 16, 32, 3, 1, 1),
    ("MyCNN conv3, batch 64", BATCH, 32, 8, 64, 3, 1, 1),
]


def measure(once):
    calls, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < WARM_UP or calls < 3:
        once()
        calls += 1
    begin = time.perf_counter()
    once()
    repeat = int(min(max(SAMPLE / (time.perf_counter() - begin), 1), 1e6))
    samples = []
    for _ in range(SAMPLES):
        begin = time.perf_counter()
        for _ in range(repeat):
            once()
        samples.append((time.perf_counter() - begin) / repeat)
    return samples


def sgemm(n):
    a, b, c = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    return f"sgemm {n}", "GFLOP/s", 2e-9 * n**3, lambda: torch.mm(a, b, out=c)


def convolution(name, n, c, size, k, filter_size, pad, groups):
    x, w = torch.randn(n, c, size, size), torch.randn(k, c // groups, filter_size, filter_size)
    y = torch.conv2d(x, w, None, 1, pad, 1, groups)
    dy = torch.randn_like(y)
    work = 2e-9 * y.numel() * (c // groups) * filter_size**2

    def backward(data, weight):
        return lambda: torch.ops.aten.convolution_backward(
            dy, x, w, [k], [1, 1], [pad, pad], [1, 1], False, [0, 0], groups, [data, weight, False])

    yield f"{name} forward", "GFLOP/s", work, lambda: torch.conv2d(x, w, None, 1, pad, 1, groups)
    yield f"{name} dgrad", "GFLOP/s", work, backward(True, False)
    yield f"{name} wgrad", "GFLOP/s", work, backward(False, True)


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mycnn():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout2d(0.2),
        nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout2d(0.2),
        nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout2d(0.2),
        nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def training(name, model, shape):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    images, labels = torch.randn(BATCH, *shape), torch.arange(BATCH) % 10

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return name, "images/s", BATCH, step


def workloads():
    yield sgemm(256)
    yield sgemm(1024)
    for sizes in CONVOLUTIONS:
        yield from convolution(*sizes)
    yield training("LeNet-5 training, batch 64", lenet5(), (1, 28, 28))
    yield training("MyCNN training, batch 64", mycnn(), (3, 32, 32))


def main():
    threads, name_part = int(sys.argv[1]), sys.argv[2].lower() if len(sys.argv) > 2 else ""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    for name, unit, work, once in workloads():
        if name_part not in name.lower():
            continue
        rates = [work / seconds for seconds in measure(once)]
        print(json.dumps({"name": name, "unit": unit, "threads": threads, "rates": rates}), flush=True)


if __name__ == "__main__":
    main()
