"""Measures in PyTorch what `cnn bench` measures, with the same names, on the same GPU: bench/shapes.json has the shapes.

Usage: pytorch_gpu.py [FILTER]; prints one JSON object. PyTorch at its best: cudnn.benchmark, both memory layouts, the faster
counts; float32 without TF32, as the kernels beside it; a CUDA graph over rotating random inputs that do not fit the cache.
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as functional

SAMPLES, SAMPLE_MS, FEWEST_SETS, MOST_SETS, CACHE_TIMES = 9, 20.0, 2, 32, 3
CPU = not torch.cuda.is_available()
DEVICE = "cpu" if CPU else "cuda"
LAYOUTS = (torch.contiguous_format, torch.channels_last)


def measure(workload_bytes, prepare):
    """Median seconds of the work that `prepare` sets up, in a graph over several sets of tensors."""
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    sets = int(min(max(CACHE_TIMES * cache / workload_bytes, FEWEST_SETS), MOST_SETS))
    runs = [prepare() for _ in range(sets)]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            for run in runs:
                run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for run in runs:
            run()

    def milliseconds(replays):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(replays):
            graph.replay()
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    milliseconds(1)
    replays = int(min(max(SAMPLE_MS / milliseconds(1), 1), 1000))
    samples = sorted(milliseconds(replays) / replays / sets for _ in range(SAMPLES))
    return samples[SAMPLES // 2] * 1e-3


def best_layout(workload_bytes, prepare):
    return min(measure(workload_bytes, lambda layout=layout: prepare(layout)) for layout in LAYOUTS)


def random(*shape, layout=torch.contiguous_format):
    tensor = torch.randn(*shape, device=DEVICE)
    return tensor.contiguous(memory_format=layout) if len(shape) == 4 else tensor


def convolution(s):
    n, c, h, w, k, r, q = (s[key] for key in ("n", "c", "h", "w", "k", "r", "s"))
    stride, pad, groups = s.get("stride", 1), s.get("pad", 0), s.get("groups", 1)
    p_size, q_size = (h + 2 * pad - r) // stride + 1, (w + 2 * pad - q) // stride + 1
    x_shape, w_shape, y_shape = (n, c, h, w), (k, c // groups, r, q), (n, k, p_size, q_size)
    volume = 4 * sum(torch.Size(shape).numel() for shape in (x_shape, w_shape, y_shape))

    def forward(layout):
        x, weight = random(*x_shape, layout=layout), random(*w_shape, layout=layout)
        return lambda: functional.conv2d(x, weight, None, stride, pad, 1, groups)

    def backward(data):
        def prepare(layout):
            x, weight, dy = random(*x_shape, layout=layout), random(*w_shape, layout=layout), random(*y_shape, layout=layout)
            return lambda: torch.ops.aten.convolution_backward(
                dy, x, weight, [k], [stride, stride], [pad, pad], [1, 1], False, [0, 0], groups, [data, not data, False])
        return prepare

    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} dgrad", volume, backward(True)
    yield f"{s['name']} wgrad", volume, backward(False)


def max_pool(s):
    shape, window, stride, pad = (s["n"], s["c"], s["h"], s["w"]), s["r"], s["stride"], s.get("pad", 0)

    def forward(layout):
        x = random(*shape, layout=layout)
        return lambda: functional.max_pool2d_with_indices(x, window, stride, pad)

    def backward(layout):
        x = random(*shape, layout=layout)
        y, places = functional.max_pool2d_with_indices(x, window, stride, pad)
        dy = torch.randn_like(y)
        return lambda: torch.ops.aten.max_pool2d_with_indices_backward(dy, x, [window] * 2, [stride] * 2, [pad] * 2, [1, 1], False, places)

    volume = 4 * torch.Size(shape).numel()
    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} backward", volume, backward


def batch_norm(s):
    shape, channels = (s["n"], s["c"], s["h"], s["w"]), s["c"]

    def forward(layout):
        x, gamma, beta = random(*shape, layout=layout), random(channels), random(channels)
        return lambda: torch.native_batch_norm(x, gamma, beta, None, None, True, 0.1, 1e-5)

    def backward(layout):
        x, dy, gamma = random(*shape, layout=layout), random(*shape, layout=layout), random(channels)
        _, mean, deviation = torch.native_batch_norm(x, gamma, random(channels), None, None, True, 0.1, 1e-5)
        return lambda: torch.ops.aten.native_batch_norm_backward(dy, x, gamma, None, None, mean, deviation, True, 1e-5, [True] * 3)

    volume = 4 * torch.Size(shape).numel()
    yield f"{s['name']} forward", 3 * volume, forward
    yield f"{s['name']} backward", 5 * volume, backward


def elementwise(s):
    count, volume = s["count"], 4 * s["count"]

    def add(_):
        a, b = random(count), random(count)
        y = torch.empty_like(a)
        return lambda: torch.add(a, b, out=y)

    def relu(_):
        x = random(count)
        return lambda: torch.relu(x)

    def relu_backward(_):
        y, dy = random(count), random(count)
        return lambda: torch.ops.aten.threshold_backward(dy, y, 0)

    def dropout(_):
        x = random(count)
        return lambda: torch.native_dropout(x, 0.5, True)

    def optimizer(make):
        def prepare(_):
            weight = random(count).requires_grad_()
            weight.grad = random(count)
            return make(weight).step
        return prepare

    yield f"add, {s['name']}", 3 * volume, add
    yield f"ReLU forward, {s['name']}", 2 * volume, relu
    yield f"ReLU backward, {s['name']}", 3 * volume, relu_backward
    yield f"dropout, {s['name']}", 2 * volume, dropout
    yield f"SGD with momentum, {s['name']}", 5 * volume, optimizer(lambda w: torch.optim.SGD([w], lr=1e-6, momentum=0.9, fused=True))
    yield f"Adam, {s['name']}", 7 * volume, optimizer(lambda w: torch.optim.Adam([w], lr=1e-6, fused=True, capturable=True))


def linear(s):
    def prepare(_):
        x, weight, bias = random(s["n"], s["in"]), random(s["out"], s["in"]), random(s["out"])
        return lambda: functional.linear(x, weight, bias)

    yield f"{s['name']} forward", 4 * (s["n"] * s["in"] + s["in"] * s["out"] + s["n"] * s["out"]), prepare


def loss(s):
    n, c = s["n"], s["c"]

    def forward(_):
        x, labels = random(n, c), torch.randint(c, (n,), device=DEVICE)
        return lambda: functional.cross_entropy(x, labels)

    def backward(_):
        x, labels = random(n, c).requires_grad_(), torch.randint(c, (n,), device=DEVICE)
        log = functional.log_softmax(x, 1).detach()
        one = torch.ones((), device=DEVICE)

        total = torch.full((), float(n), device=DEVICE)

        def run():
            through = torch.ops.aten.nll_loss_backward(one, log, labels, None, 1, -100, total)
            return torch.ops.aten._log_softmax_backward_data(through, log, 1, torch.float32)
        return run

    yield f"{s['name']} forward", 8 * n * c, forward
    yield f"{s['name']} backward", 8 * n * c, backward


FAMILIES = {"convolutions": convolution, "max_pools": max_pool, "batch_norms": batch_norm, "elementwise": elementwise, "linears": linear, "losses": loss}


def main():
    wanted = sys.argv[1].lower() if len(sys.argv) > 1 else ""
    if CPU:
        sys.exit("pytorch_gpu.py: PyTorch sees no GPU")
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    shapes = json.loads((pathlib.Path(__file__).parent.parent / "shapes.json").read_text())
    times = []
    with torch.no_grad():
        for family, workloads in FAMILIES.items():
            for shape in shapes[family]:
                for name, volume, prepare in workloads(shape):
                    if wanted not in name.lower():
                        continue
                    try:
                        seconds, error = best_layout(volume, prepare), None
                    except RuntimeError as failure:
                        seconds, error = None, str(failure).splitlines()[0]
                    times.append({"name": name, "microseconds": seconds and seconds * 1e6, "error": error})
                    torch.cuda.empty_cache()
    print(json.dumps({
        "device": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(), "workloads": times}))


if __name__ == "__main__":
    main()
