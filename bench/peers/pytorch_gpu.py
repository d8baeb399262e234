"""Measures in PyTorch what `cnn bench` measures, with the same names, on the same GPU, in turns with it: bench/shapes.json has the shapes.

Usage: cnn bench --peer python3 bench/peers/pytorch_gpu.py. Each line of standard input, {"name": ..., "check": false}, is
answered by one of standard output, {"microseconds": ...} or {"error": ...}; the first line tells the versions. With "check" the
work is done once with one image and not timed, on the CPU where there is no GPU.

PyTorch at its best: cudnn.benchmark, both memory layouts, the faster counts; float32 without TF32, as the kernels beside it; a
CUDA graph over rotating random inputs that do not fit the cache.
"""
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as functional

SAMPLES, SAMPLE_MS, FEWEST_SETS, MOST_SETS, CACHE_TIMES = 5, 15.0, 2, 8192, 3
GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
LAYOUTS = (torch.contiguous_format, torch.channels_last)
TYPES = {"": torch.float32, ", bf16": torch.bfloat16, ", f16": torch.float16}


class Replayed:
    """Work in a CUDA graph over several sets of tensors."""

    def __init__(self, workload_bytes, prepare):
        cache = torch.cuda.get_device_properties(0).L2_cache_size
        self.sets = int(min(max(math.ceil(CACHE_TIMES * cache / workload_bytes), FEWEST_SETS), MOST_SETS))
        self.runs = [prepare() for _ in range(self.sets)]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                for run in self.runs:
                    run()
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            for run in self.runs:
                run()
        self.milliseconds(1)
        self.replays = int(min(max(SAMPLE_MS / self.milliseconds(1), 1), 1000))

    def milliseconds(self, replays):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(replays):
            self.graph.replay()
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    def microseconds(self):
        """Median of a round of samples."""
        samples = sorted(self.milliseconds(self.replays) / self.replays / self.sets for _ in range(SAMPLES))
        return samples[SAMPLES // 2] * 1e3


def best_layout(workload_bytes, prepare):
    """The work in the layout that is faster."""
    best = None
    for layout in LAYOUTS:
        candidate = Replayed(workload_bytes, lambda: prepare(layout))
        if best is None or candidate.microseconds() < best.microseconds():
            best = candidate
        del candidate
        torch.cuda.empty_cache()
    return best


def size_of(dtype):
    return torch.empty(0, dtype=dtype).element_size()


def random(*shape, dtype=torch.float32, layout=torch.contiguous_format):
    tensor = torch.randn(*shape, device=DEVICE).to(dtype)
    return tensor.contiguous(memory_format=layout) if len(shape) == 4 else tensor


def convolution(s, dtype):
    n, c, h, w, k, r, q = (s[key] for key in ("n", "c", "h", "w", "k", "r", "s"))
    stride, pad, groups = s.get("stride", 1), s.get("pad", 0), s.get("groups", 1)
    p_size, q_size = (h + 2 * pad - r) // stride + 1, (w + 2 * pad - q) // stride + 1
    x_shape, w_shape, y_shape = (n, c, h, w), (k, c // groups, r, q), (n, k, p_size, q_size)
    volume = size_of(dtype) * sum(torch.Size(shape).numel() for shape in (x_shape, w_shape, y_shape))

    def forward(layout):
        x, weight = random(*x_shape, dtype=dtype, layout=layout), random(*w_shape, dtype=dtype, layout=layout)
        return lambda: functional.conv2d(x, weight, None, stride, pad, 1, groups)

    def backward(data):
        def prepare(layout):
            x, weight, dy = random(*x_shape, dtype=dtype, layout=layout), random(*w_shape, dtype=dtype, layout=layout), random(*y_shape, dtype=dtype, layout=layout)
            return lambda: torch.ops.aten.convolution_backward(
                dy, x, weight, [k], [stride, stride], [pad, pad], [1, 1], False, [0, 0], groups, [data, not data, False])
        return prepare

    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} dgrad", volume, backward(True)
    yield f"{s['name']} wgrad", volume, backward(False)


def max_pool(s, dtype):
    shape, window, stride, pad = (s["n"], s["c"], s["h"], s["w"]), s["r"], s["stride"], s.get("pad", 0)

    def forward(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        return lambda: functional.max_pool2d_with_indices(x, window, stride, pad)

    def backward(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        y, places = functional.max_pool2d_with_indices(x, window, stride, pad)
        dy = torch.randn_like(y)
        return lambda: torch.ops.aten.max_pool2d_with_indices_backward(dy, x, [window] * 2, [stride] * 2, [pad] * 2, [1, 1], False, places)

    volume = size_of(dtype) * torch.Size(shape).numel()
    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} backward", volume, backward


def adaptive_average_pool(s, dtype):
    shape, output = (s["n"], s["c"], s["h"], s["w"]), (s["p"], s["q"])

    def forward(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        return lambda: functional.adaptive_avg_pool2d(x, output)

    def backward(layout):
        x, dy = random(*shape, dtype=dtype, layout=layout), random(*shape[:2], *output, dtype=dtype, layout=layout)
        if output == (1, 1):  # a mean, whose gradient is this
            return lambda: dy.expand(shape) / (s["h"] * s["w"])
        return lambda: torch.ops.aten._adaptive_avg_pool2d_backward(dy, x)

    volume = size_of(dtype) * (torch.Size(shape).numel() + torch.Size(shape[:2] + output).numel())
    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} backward", volume, backward


def batch_norm(s, dtype):
    shape, channels = (s["n"], s["c"], s["h"], s["w"]), s["c"]

    def forward(layout):
        x, gamma, beta = random(*shape, dtype=dtype, layout=layout), random(channels), random(channels)
        return lambda: torch.native_batch_norm(x, gamma, beta, None, None, True, 0.1, 1e-5)

    def backward(layout):
        x, dy, gamma = random(*shape, dtype=dtype, layout=layout), random(*shape, dtype=dtype, layout=layout), random(channels)
        _, mean, deviation = torch.native_batch_norm(x, gamma, random(channels), None, None, True, 0.1, 1e-5)
        return lambda: torch.ops.aten.native_batch_norm_backward(dy, x, gamma, None, None, mean, deviation, True, 1e-5, [True] * 3)

    volume = size_of(dtype) * torch.Size(shape).numel()
    yield f"{s['name']} forward", 3 * volume, forward
    yield f"{s['name']} backward", 5 * volume, backward


def elementwise(s, dtype):
    count, volume = s["count"], size_of(dtype) * s["count"]

    def add(_):
        a, b = random(count, dtype=dtype), random(count, dtype=dtype)
        y = torch.empty_like(a)
        return lambda: torch.add(a, b, out=y)

    def relu(_):
        x = random(count, dtype=dtype)
        return lambda: torch.relu(x)

    def relu_backward(_):
        y, dy = random(count, dtype=dtype), random(count, dtype=dtype)
        return lambda: torch.ops.aten.threshold_backward(dy, y, 0)

    def dropout(_):
        x = random(count, dtype=dtype)
        return lambda: torch.native_dropout(x, 0.5, True)

    def optimizer(make):
        def prepare(_):
            weight = random(count, dtype=dtype).requires_grad_()
            weight.grad = random(count, dtype=dtype)
            return make(weight).step
        return prepare

    yield f"add, {s['name']}", 3 * volume, add
    yield f"ReLU forward, {s['name']}", 2 * volume, relu
    yield f"ReLU backward, {s['name']}", 3 * volume, relu_backward
    yield f"dropout, {s['name']}", 2 * volume, dropout
    if dtype != torch.float32:
        return
    yield f"SGD with momentum, {s['name']}", 5 * volume, optimizer(lambda w: torch.optim.SGD([w], lr=1e-6, momentum=0.9, fused=True))
    yield f"Adam, {s['name']}", 7 * volume, optimizer(lambda w: torch.optim.Adam([w], lr=1e-6, fused=True, capturable=True))


def linear(s, dtype):
    def prepare(_):
        x, weight, bias = random(s["n"], s["in"], dtype=dtype), random(s["out"], s["in"], dtype=dtype), random(s["out"], dtype=dtype)
        return lambda: functional.linear(x, weight, bias)

    yield f"{s['name']} forward", size_of(dtype) * (s["n"] * s["in"] + s["in"] * s["out"] + s["n"] * s["out"]), prepare


def loss(s, dtype):
    n, c = s["n"], s["c"]
    if dtype != torch.float32:
        return

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


FAMILIES = {"convolutions": convolution, "max_pools": max_pool, "adaptive_average_pools": adaptive_average_pool, "batch_norms": batch_norm,
            "elementwise": elementwise, "linears": linear, "losses": loss}


def workloads(images=None):
    """What there is, by name: bytes, and the function that sets it up."""
    shapes = json.loads((pathlib.Path(__file__).parent.parent / "shapes.json").read_text())
    found = {}
    for suffix, dtype in TYPES.items():
        for family, describe in FAMILIES.items():
            for shape in shapes[family]:
                if images:
                    shape = {**shape, **({"count": 1000} if "count" in shape else {"n": min(images, shape["n"])})}
                for name, volume, prepare in describe(shape, dtype):
                    found[name + suffix] = volume, prepare
    return found


def main():
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    timed, checked = workloads(), workloads(images=1)
    where = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}" if GPU else "CPU, without timing"
    print(json.dumps({"program": f"PyTorch {torch.__version__} ({where})"}), flush=True)
    last, replayed = None, None
    for line in sys.stdin:
        question = json.loads(line)
        name, answer = question["name"], {}
        try:
            if question["check"]:
                for layout in LAYOUTS:
                    checked[name][1](layout)()
            else:
                if name != last:
                    last, replayed = None, None
                    torch.cuda.empty_cache()
                    last, replayed = name, best_layout(*timed[name])
                answer["microseconds"] = replayed.microseconds()
        except KeyError:
            answer["error"] = "no such workload"
        except (RuntimeError, TypeError) as failure:
            answer["error"] = str(failure).splitlines()[0]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
