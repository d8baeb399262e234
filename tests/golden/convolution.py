"""conv2d: y, and the gradients by x, w and bias of sum(y * dy)."""
import torch
import torch.nn.functional as F

from cases import Case

PYTORCH_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def convolution(name, x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, mode="zeros", bias=True):
    """x is (N, C, H, W), w is (K, R, S)."""
    case = Case(name, stride=list(stride), padding=list(padding), dilation=list(dilation), groups=groups, mode=mode)
    case.normal("x", x)
    case.normal("w", (w[0], x[1] // groups, w[1], w[2]), deviation=(x[1] // groups * w[1] * w[2]) ** -0.5)
    if bias:
        case.normal("b", (w[0],))
    return finish(case, stride, padding, dilation, groups, mode)


def finish(case, stride, padding, dilation, groups, mode):
    x, w = case.leaf("x"), case.leaf("w")
    b = case.leaf("b") if "b" in case.tensors else None
    inner, inner_padding = x, padding
    if mode != "zeros" and x.numel():
        inner = F.pad(x, (padding[1], padding[1], padding[0], padding[0]), mode=PYTORCH_MODES[mode])
        inner_padding = (0, 0)
    y = F.conv2d(inner, w, b, stride, inner_padding, dilation, groups)
    case.backward(y, x=x, w=w, b=b)
    return case


def not_finite():
    """NaN and infinities spread to the windows that see them, and nowhere else."""
    case = Case("nan_and_infinity", stride=[1, 1], padding=[1, 1], dilation=[1, 1], groups=1, mode="zeros")
    x = case.normal("x", (1, 2, 9, 9))
    x[0, 0, 1, 1], x[0, 1, 7, 2], x[0, 1, 4, 8] = float("nan"), float("inf"), float("-inf")
    case.normal("w", (3, 2, 3, 3))
    return finish(case, (1, 1), (1, 1), (1, 1), 1, "zeros")


def cases():
    c = convolution
    table = [
        c("plain_3x3", (2, 3, 8, 8), (4, 3, 3), padding=(1, 1)),
        c("no_bias", (2, 3, 8, 8), (4, 3, 3), bias=False),
        c("single_element", (1, 1, 1, 1), (1, 1, 1)),
        c("window_is_image", (2, 3, 4, 5), (7, 4, 5)),
        c("empty_batch", (0, 3, 8, 8), (4, 3, 3), padding=(1, 1)),
        c("primes", (3, 7, 13, 11), (5, 3, 5), stride=(2, 1), padding=(1, 2)),
        c("width_443", (1, 1, 3, 443), (2, 1, 7), padding=(0, 3)),
        c("height_443", (1, 2, 443, 2), (3, 5, 2), stride=(3, 1)),
        c("channels_443", (1, 443, 3, 3), (2, 3, 3), padding=(1, 1)),
        c("filters_443", (1, 3, 4, 4), (443, 3, 3), padding=(1, 1)),
        c("batch_443", (443, 1, 3, 3), (2, 2, 2)),
        c("lenet_1", (2, 1, 28, 28), (6, 5, 5), padding=(2, 2)),
        c("lenet_2", (2, 6, 14, 14), (16, 5, 5)),
        c("deep_3x3", (1, 64, 7, 7), (32, 3, 3), padding=(1, 1)),
        c("wide_3x3", (1, 32, 14, 14), (48, 3, 3), padding=(1, 1)),
        c("stem_7x7", (1, 3, 19, 23), (16, 7, 7), stride=(2, 2), padding=(3, 3)),
        c("pointwise", (2, 16, 7, 7), (8, 1, 1)),
        c("pointwise_443", (1, 443, 3, 5), (37, 1, 1)),
        c("pointwise_stride", (2, 16, 7, 9), (24, 1, 1), stride=(2, 2)),
        c("pointwise_padded", (2, 5, 4, 3), (3, 1, 1), padding=(1, 2)),
        c("rectangular_filter", (2, 4, 9, 14), (3, 1, 5), stride=(1, 3), padding=(0, 2)),
        c("stride_past_window", (2, 3, 11, 10), (4, 2, 2), stride=(3, 4)),
        c("dilation", (2, 3, 12, 13), (4, 3, 3), padding=(2, 2), dilation=(2, 2)),
        c("dilation_rectangular", (1, 2, 15, 17), (3, 3, 2), stride=(2, 3), padding=(3, 1), dilation=(2, 3)),
        c("filter_larger_than_image", (2, 2, 3, 2), (3, 5, 5), padding=(2, 2)),
        c("padding_past_window", (1, 2, 3, 4), (3, 2, 2), padding=(3, 4)),
        c("groups_2", (2, 4, 7, 6), (6, 3, 3), padding=(1, 1), groups=2),
        c("groups_3_prime", (2, 21, 5, 5), (15, 3, 3), stride=(2, 2), padding=(1, 1), groups=3),
        c("groups_pointwise", (2, 12, 5, 7), (20, 1, 1), groups=4),
        c("groups_to_one_filter", (1, 10, 6, 6), (5, 3, 3), padding=(1, 1), groups=5),
        c("depthwise_3x3", (2, 8, 9, 9), (8, 3, 3), padding=(1, 1), groups=8),
        c("depthwise_stride", (2, 7, 12, 15), (7, 3, 3), stride=(2, 2), padding=(1, 1), groups=7),
        c("depthwise_5x5", (1, 5, 14, 33), (5, 5, 5), padding=(2, 2), groups=5),
        c("depthwise_multiplier", (2, 3, 8, 8), (9, 3, 3), padding=(1, 1), groups=3),
        c("depthwise_dilation", (1, 6, 17, 16), (6, 3, 3), padding=(2, 2), dilation=(2, 2), groups=6),
        c("depthwise_443", (1, 443, 3, 4), (443, 3, 3), padding=(1, 1), groups=443),
        c("depthwise_wide", (1, 2, 3, 70), (2, 3, 3), padding=(1, 1), groups=2, bias=False),
        c("depthwise_rectangular", (1, 3, 9, 40), (3, 1, 7), stride=(1, 2), padding=(0, 3), groups=3),
        c("depthwise_empty_batch", (0, 4, 6, 6), (4, 3, 3), padding=(1, 1), groups=4),
    ]
    for mode in ("reflect", "replicate", "circular"):
        table += [
            c(f"{mode}_3x3", (2, 3, 6, 7), (4, 3, 3), padding=(1, 1), mode=mode),
            c(f"{mode}_rectangular", (1, 2, 5, 9), (3, 2, 5), stride=(2, 1), padding=(1, 3), mode=mode),
            c(f"{mode}_largest", (1, 2, 4, 5), (2, 3, 3), padding=(3, 4) if mode == "reflect" else (4, 5), mode=mode),
            c(f"{mode}_dilation", (1, 2, 8, 7), (3, 3, 3), stride=(1, 2), padding=(2, 2), dilation=(2, 2), mode=mode),
            c(f"{mode}_depthwise", (2, 5, 6, 11), (5, 3, 3), padding=(1, 1), groups=5, mode=mode),
            c(f"{mode}_pointwise", (1, 3, 4, 4), (2, 1, 1), padding=(1, 1), mode=mode),
        ]
    return table + [c("replicate_past_image", (1, 2, 2, 3), (2, 3, 3), padding=(5, 4), mode="replicate"), not_finite()]
