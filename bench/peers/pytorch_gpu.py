"""Measures in PyTorch what `cnn bench` measures, with the same names, on the same GPU, in turns with it: bench/shapes.json has the shapes.

Usage: cnn bench --peer python3 bench/peers/pytorch_gpu.py. Each line of standard input, {"name": ..., "check": false}, is
answered by one of standard output, {"microseconds": ...} or {"error": ...}; the first line tells the versions. With "check" the
work is done once with one image and not timed, on the CPU where there is no GPU.

PyTorch at its best: cudnn.benchmark, both memory layouts, the faster counts, but for workloads that name their layout; TF32 only for those
that name it; a CUDA graph over rotating random inputs that do not fit the cache.
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
COLUMN_BYTES = 256 << 20
# What stands behind a name: data type, layouts to try, whether products may be rounded to TF32.
VARIANTS = {
    "": (torch.float32, LAYOUTS, False), ", bf16": (torch.bfloat16, LAYOUTS, False), ", f16": (torch.float16, LAYOUTS, False),
    ", tf32": (torch.float32, LAYOUTS, True), ", NHWC": (torch.float32, LAYOUTS[1:], False),
    ", bf16, NCHW": (torch.bfloat16, LAYOUTS[:1], False), ", f16, NCHW": (torch.float16, LAYOUTS[:1], False)}


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


def best_layout(workload_bytes, prepare, layouts):
    """The work in the layout that is fastest."""
    best = None
    for layout in layouts:
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

    def with_bias_and_relu(layout):
        x, weight, bias = random(*x_shape, dtype=dtype, layout=layout), random(*w_shape, dtype=dtype, layout=layout), random(k, dtype=dtype)
        return lambda: torch.relu_(functional.conv2d(x, weight, bias, stride, pad, 1, groups))

    def bias_gradient(layout):
        dy = random(*y_shape, dtype=dtype, layout=layout)
        return lambda: dy.sum((0, 2, 3))

    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} dgrad", volume, backward(True)
    yield f"{s['name']} wgrad", volume, backward(False)
    yield f"{s['name']} with bias and ReLU", volume, with_bias_and_relu
    yield f"{s['name']} bias gradient", size_of(dtype) * torch.Size(y_shape).numel(), bias_gradient
    if groups > 1 or r * q == 1:
        return
    length, pixels = c * r * q, p_size * q_size
    images = min(max(COLUMN_BYTES // (length * pixels * size_of(dtype)), 1), n)

    def im2col(layout):
        x = random(images, c, h, w, dtype=dtype, layout=layout)
        return lambda: functional.unfold(x, (r, q), padding=pad, stride=stride)

    def col2im(_):
        columns = random(images, length, pixels, dtype=dtype)
        return lambda: functional.fold(columns, (h, w), (r, q), padding=pad, stride=stride)

    copied = size_of(dtype) * images * (c * h * w + length * pixels)
    yield f"{s['name']} im2col", copied, im2col
    yield f"{s['name']} col2im", copied, col2im


def pool(s, dtype):
    shape, window, stride, pad = (s["n"], s["c"], s["h"], s["w"]), s["r"], s["stride"], s.get("pad", 0)

    def forward(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        return lambda: functional.max_pool2d_with_indices(x, window, stride, pad)

    def backward(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        y, places = functional.max_pool2d_with_indices(x, window, stride, pad)
        dy = torch.randn_like(y)
        return lambda: torch.ops.aten.max_pool2d_with_indices_backward(dy, x, [window] * 2, [stride] * 2, [pad] * 2, [1, 1], False, places)

    def average(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        return lambda: functional.avg_pool2d(x, window, stride, pad)

    def average_backward(layout):
        x = random(*shape, dtype=dtype, layout=layout)
        dy = torch.randn_like(functional.avg_pool2d(x, window, stride, pad))
        return lambda: torch.ops.aten.avg_pool2d_backward(dy, x, [window] * 2, [stride] * 2, [pad] * 2, False, True, None)

    volume = size_of(dtype) * torch.Size(shape).numel()
    yield f"max {s['name']} forward", volume, forward
    yield f"max {s['name']} backward", volume, backward
    yield f"average {s['name']} forward", volume, average
    yield f"average {s['name']} backward", volume, average_backward


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

    def inference(layout):
        x, mean, variance = random(*shape, dtype=dtype, layout=layout), random(channels), torch.ones(channels, device=DEVICE)
        return lambda: functional.batch_norm(x, mean, variance)

    def add_relu(layout):
        x, residual = random(*shape, dtype=dtype, layout=layout), random(*shape, dtype=dtype, layout=layout)
        return lambda: torch.relu_(torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[0].add_(residual))

    def add_relu_backward(layout):
        x, y, dy = (random(*shape, dtype=dtype, layout=layout) for _ in range(3))
        gamma = torch.ones(channels, device=DEVICE)
        _, mean, deviation = torch.native_batch_norm(x, gamma, None, None, None, True, 0.1, 1e-5)

        def run():
            dz = torch.ops.aten.threshold_backward(dy, y, 0)
            return dz, torch.ops.aten.native_batch_norm_backward(dz, x, gamma, None, None, mean, deviation, True, 1e-5, [True] * 3)
        return run

    volume = size_of(dtype) * torch.Size(shape).numel()
    yield f"{s['name']} forward", 3 * volume, forward
    yield f"{s['name']} backward", 5 * volume, backward
    yield f"{s['name']} inference", 2 * volume, inference
    yield f"{s['name']} add ReLU forward", 4 * volume, add_relu
    yield f"{s['name']} add ReLU backward", 6 * volume, add_relu_backward


def elementwise(s, dtype):
    count, volume = s["count"], size_of(dtype) * s["count"]

    def add(_):
        a, b = random(count, dtype=dtype), random(count, dtype=dtype)
        y = torch.empty_like(a)
        return lambda: torch.add(a, b, out=y)

    def one(operation):
        def prepare(_):
            x = random(count, dtype=dtype)
            return lambda: operation(x)
        return prepare

    def two(operation):
        def prepare(_):
            y, dy = random(count, dtype=dtype), random(count, dtype=dtype)
            return lambda: operation(dy, y)
        return prepare

    def dropout(_):
        x = random(count, dtype=dtype)
        return lambda: torch.native_dropout(x, 0.5, True)

    def dropout_of_channels(_):
        x = random(1, max(1, count // 1024), 32, 32, dtype=dtype)
        return lambda: functional.dropout2d(x, 0.5, True)

    def optimizer(make):
        def prepare(_):
            weight = random(count, dtype=dtype).requires_grad_()
            weight.grad = random(count, dtype=dtype)
            return make(weight).step
        return prepare

    yield f"add, {s['name']}", 3 * volume, add
    for name, (forward, backward) in ACTIVATIONS.items():
        yield f"{name} forward, {s['name']}", 2 * volume, one(forward)
        yield f"{name} backward, {s['name']}", 3 * volume, two(backward)
    yield f"dropout, {s['name']}", 2 * volume, dropout
    yield f"dropout of channels, {s['name']}", 2 * volume, dropout_of_channels
    yield f"sum, {s['name']}", volume, one(torch.sum)
    yield f"gradient norm, {s['name']}", volume, one(torch.linalg.vector_norm)
    if dtype != torch.float32:
        return
    yield f"SGD with momentum, {s['name']}", 5 * volume, optimizer(lambda w: torch.optim.SGD([w], lr=1e-6, momentum=0.9, fused=True))
    yield f"Adam, {s['name']}", 7 * volume, optimizer(lambda w: torch.optim.Adam([w], lr=1e-6, fused=True, capturable=True))


def movement(s, dtype):
    channels, rows = 64, 32
    shape = max(1, s["count"] // (channels * rows * rows)), channels, rows, rows
    ours, theirs = LAYOUTS if dtype == torch.float32 else LAYOUTS[::-1]
    other, name = (torch.bfloat16, "bf16") if dtype == torch.float32 else (torch.float32, "float32")
    volume = size_of(dtype) * torch.Size(shape).numel()

    def other_layout(_):
        x = random(*shape, dtype=dtype, layout=ours)
        return lambda: x.contiguous(memory_format=theirs)

    def concatenation(_):
        x, y = random(shape[0], channels // 2, rows, rows, dtype=dtype, layout=ours), random(*shape, dtype=dtype, layout=ours)
        return lambda: y[:, channels // 2:].copy_(x)

    def cast(_):
        x = random(s["count"], dtype=dtype)
        return lambda: x.to(other)

    yield f"other layout, {s['name']}", 2 * volume, other_layout
    yield f"concatenation, {s['name']}", volume, concatenation
    yield f"cast to {name}, {s['name']}", (size_of(dtype) + size_of(other)) * s["count"], cast


def linear(s, dtype):
    n, inputs, outputs = s["n"], s["in"], s["out"]

    def forward(_):
        x, weight, bias = random(n, inputs, dtype=dtype), random(outputs, inputs, dtype=dtype), random(outputs, dtype=dtype)
        return lambda: functional.linear(x, weight, bias)

    def dgrad(_):
        dy, weight = random(n, outputs, dtype=dtype), random(outputs, inputs, dtype=dtype)
        return lambda: dy @ weight

    def wgrad(_):
        dy, x = random(n, outputs, dtype=dtype), random(n, inputs, dtype=dtype)
        return lambda: dy.t() @ x

    def bias_gradient(_):
        dy = random(n, outputs, dtype=dtype)
        return lambda: dy.sum(0)

    volume = size_of(dtype) * (n * inputs + inputs * outputs + n * outputs)
    yield f"{s['name']} forward", volume, forward
    yield f"{s['name']} dgrad", volume, dgrad
    yield f"{s['name']} wgrad", volume, wgrad
    yield f"{s['name']} bias gradient", size_of(dtype) * n * outputs, bias_gradient


def loss(s, dtype):
    n, c = s["n"], s["c"]

    def forward(_):
        x, labels = random(n, c, dtype=dtype), torch.randint(c, (n,), device=DEVICE)
        return lambda: functional.cross_entropy(x, labels)

    def backward(_):
        x, labels = random(n, c, dtype=dtype), torch.randint(c, (n,), device=DEVICE)
        log = functional.log_softmax(x, 1)
        one = torch.ones((), device=DEVICE, dtype=dtype)
        total = torch.full((), float(n), device=DEVICE, dtype=dtype)

        def run():
            through = torch.ops.aten.nll_loss_backward(one, log, labels, None, 1, -100, total)
            return torch.ops.aten._log_softmax_backward_data(through, log, 1, dtype)
        return run

    def softmax(_):
        x = random(n, c, dtype=dtype)
        return lambda: torch.softmax(x, 1)

    def softmax_backward(_):
        y, dy = random(n, c, dtype=dtype), random(n, c, dtype=dtype)
        return lambda: torch.ops.aten._softmax_backward_data(dy, y, 1, dtype)

    volume = size_of(dtype) * n * c
    yield f"{s['name']} forward", 2 * volume, forward
    yield f"{s['name']} backward", 2 * volume, backward
    yield f"softmax of {s['name']} forward", 2 * volume, softmax
    yield f"softmax of {s['name']} backward", 3 * volume, softmax_backward


ACTIVATIONS = {
    "ReLU": (torch.relu, lambda dy, y: torch.ops.aten.threshold_backward(dy, y, 0)),
    "ReLU6": (functional.relu6, lambda dy, y: torch.ops.aten.hardtanh_backward(dy, y, 0, 6)),
    "sigmoid": (torch.sigmoid, torch.ops.aten.sigmoid_backward),
    "tanh": (torch.tanh, torch.ops.aten.tanh_backward),
}
FAMILIES = (
    ("convolutions", convolution), ("pools", pool), ("adaptive_average_pools", adaptive_average_pool), ("batch_norms", batch_norm), ("elementwise", elementwise),
    ("elementwise", movement), ("linears", linear), ("losses", loss))


def workloads(images=None):
    """What there is, by name: bytes, the function that sets it up, layouts, and whether TF32 is allowed."""
    shapes = json.loads((pathlib.Path(__file__).parent.parent / "shapes.json").read_text())
    found = {}
    for suffix, (dtype, layouts, tf32) in VARIANTS.items():
        for family, describe in FAMILIES:
            for shape in shapes[family]:
                if images:
                    shape = {**shape, **({"count": 1000} if "count" in shape else {"n": min(images, shape["n"])})}
                for name, volume, prepare in describe(shape, dtype):
                    found[name + suffix] = volume, prepare, layouts, tf32
    return found


def main():
    torch.backends.cudnn.benchmark = True
    timed, checked = workloads(), workloads(images=1)
    where = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}" if GPU else "CPU, without timing"
    print(json.dumps({"program": f"PyTorch {torch.__version__} ({where})"}), flush=True)
    last, replayed = None, None
    for line in sys.stdin:
        question = json.loads(line)
        name, answer = question["name"], {}
        try:
            volume, prepare, layouts, tf32 = (checked if question["check"] else timed)[name]
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
            if question["check"]:
                for layout in layouts:
                    prepare(layout)()
            else:
                if name != last:
                    last, replayed = None, None
                    torch.cuda.empty_cache()
                    last, replayed = name, best_layout(volume, prepare, layouts)
                answer["microseconds"] = replayed.microseconds()
        except KeyError:
            answer["error"] = "no such workload"
        except (RuntimeError, TypeError) as failure:
            answer["error"] = str(failure).splitlines()[0]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
