"""max_pool2d and avg_pool2d: y and the gradient by x of sum(y * dy)."""
import torch
import torch.nn.functional as F

from cases import Case




def maximum(name, x, window, stride=None, padding=(0, 0), dilation=(1, 1), ceil=False, fill=None):
    stride = stride or window
    case = Case("max_" + name, kind="max", window=list(window), stride=list(stride), padding=list(padding), dilation=list(dilation), ceil=ceil)
    values = case.normal("x", x)
    if fill:
        fill(values)
    leaf = case.leaf("x")
    case.backward(F.max_pool2d(leaf, window, stride, padding, dilation, ceil), x=leaf)
    return case


def average(name, x, window, stride=None, padding=(0, 0), ceil=False, count_include_pad=True, fill=None):
    stride = stride or window
    case = Case("average_" + name, kind="average", window=list(window), stride=list(stride), padding=list(padding), ceil=ceil,
                count_include_pad=count_include_pad)
    values = case.normal("x", x)
    if fill:
        fill(values)
    leaf = case.leaf("x")
    case.backward(F.avg_pool2d(leaf, window, stride, padding, ceil, count_include_pad), x=leaf)
    return case


def ties(x):
    """Few different values: the first of equal maxima takes the gradient."""
    x.copy_(torch.round(x))


def negative_infinity(x):
    """A window of minus infinity has that maximum, and a place for its gradient."""
    x.fill_(float("-inf"))
    x[0, 0, 3, 3] = 1.0


def not_a_number(x):
    """At most one NaN to a window: which of several gets the gradient of a maximum is nowhere defined."""
    x[0, 0, 1, 2] = float("nan")
    x[0, 1, 4, 4] = float("nan")
    x[0, 1, 6, 6] = float("nan")
    x[0, 1, 0, 0] = float("inf")


def cases():
    m, a = maximum, average
    return [
        m("2x2", (2, 3, 8, 8), (2, 2)),
        m("single_element", (1, 1, 1, 1), (1, 1)),
        m("empty_batch", (0, 3, 8, 8), (2, 2)),
        m("odd_size", (2, 3, 9, 7), (2, 2)),
        m("odd_size_ceil", (2, 3, 9, 7), (2, 2), ceil=True),
        m("overlapping", (2, 3, 11, 13), (3, 3), stride=(2, 2), padding=(1, 1)),
        m("overlapping_ceil", (2, 3, 12, 14), (3, 3), stride=(2, 2), padding=(1, 1), ceil=True),
        m("ceil_window_in_padding", (1, 2, 4, 5), (2, 2), stride=(2, 3), padding=(1, 1), ceil=True),
        m("rectangular", (1, 2, 9, 16), (3, 2), stride=(1, 3), padding=(1, 0)),
        m("stride_past_window", (1, 2, 11, 13), (2, 2), stride=(5, 3)),
        m("dilation", (1, 2, 11, 12), (3, 2), stride=(2, 1), padding=(1, 1), dilation=(2, 3)),
        m("dilation_ceil", (1, 2, 10, 13), (2, 3), stride=(3, 2), dilation=(3, 2), ceil=True),
        m("width_443", (1, 1, 2, 443), (1, 3), stride=(1, 2), padding=(0, 1)),
        m("channels_443", (1, 443, 4, 4), (2, 2)),
        m("batch_443", (443, 1, 3, 2), (2, 2), stride=(1, 1)),
        m("whole_image", (2, 5, 7, 6), (7, 6)),
        m("window_of_289", (1, 2, 20, 19), (17, 17), stride=(1, 1), padding=(3, 2)),
        m("ties", (2, 3, 9, 9), (3, 3), stride=(1, 1), padding=(1, 1), fill=ties),
        m("negative_infinity", (1, 2, 8, 8), (2, 2), fill=negative_infinity),
        m("negative_infinity_padded", (1, 2, 8, 8), (3, 3), stride=(2, 2), padding=(1, 1), fill=negative_infinity),
        m("nan", (1, 2, 8, 8), (3, 3), stride=(2, 2), padding=(1, 1), fill=not_a_number),
        a("2x2", (2, 3, 8, 8), (2, 2)),
        a("single_element", (1, 1, 1, 1), (1, 1)),
        a("empty_batch", (0, 3, 8, 8), (2, 2)),
        a("odd_size", (2, 3, 9, 7), (2, 2)),
        a("odd_size_ceil", (2, 3, 9, 7), (2, 2), ceil=True),
        a("padded", (2, 3, 9, 11), (3, 3), stride=(2, 2), padding=(1, 1)),
        a("padded_not_counted", (2, 3, 9, 11), (3, 3), stride=(2, 2), padding=(1, 1), count_include_pad=False),
        a("padded_ceil", (2, 3, 10, 12), (3, 3), stride=(2, 2), padding=(1, 1), ceil=True),
        a("padded_ceil_not_counted", (2, 3, 10, 12), (3, 3), stride=(2, 2), padding=(1, 1), ceil=True, count_include_pad=False),
        a("ceil_over_padding", (1, 2, 6, 9), (3, 4), stride=(2, 3), padding=(1, 2), ceil=True),
        a("ceil_window_in_padding", (1, 2, 4, 5), (2, 2), stride=(2, 3), padding=(1, 1), ceil=True),
        a("rectangular", (1, 2, 9, 16), (3, 2), stride=(1, 3), padding=(1, 0)),
        a("stride_past_window", (1, 2, 11, 13), (2, 2), stride=(5, 3)),
        a("width_443", (1, 1, 2, 443), (1, 3), stride=(1, 2), padding=(0, 1)),
        a("channels_443", (1, 443, 4, 4), (2, 2)),
        a("whole_image", (2, 5, 7, 6), (7, 6)),
        a("nan", (1, 2, 8, 8), (3, 3), stride=(2, 2), padding=(1, 1), fill=not_a_number),
    ]
