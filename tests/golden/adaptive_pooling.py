"""adaptive_avg_pool2d: y and the gradient by x of sum(y * dy)."""
import torch.nn.functional as F

from cases import Case


def case(name, x, output, fill=None):
    made = Case(name, output=list(output))
    values = made.normal("x", x)
    if fill:
        fill(values)
    leaf = made.leaf("x")
    made.backward(F.adaptive_avg_pool2d(leaf, output), x=leaf)
    return made


def not_a_number(x):
    x[0, 0, 3, 5] = float("nan")
    x[0, 1, 4, 4] = float("inf")


def cases():
    return [
        case("global", (2, 5, 7, 7), (1, 1)),
        case("global_wide", (2, 3, 5, 443), (1, 1)),
        case("global_channels_443", (1, 443, 3, 2), (1, 1)),
        case("single_element", (1, 1, 1, 1), (1, 1)),
        case("empty_batch", (0, 3, 8, 8), (3, 3)),
        case("same_size", (2, 3, 5, 6), (5, 6)),
        case("halves", (2, 3, 14, 14), (7, 7)),
        case("divides", (1, 2, 28, 21), (7, 7)),
        case("13_to_6", (2, 3, 13, 13), (6, 6)),
        case("rectangular", (2, 3, 9, 16), (4, 5)),
        case("one_axis_divides", (1, 2, 12, 13), (4, 5)),
        case("one_axis_whole", (2, 3, 10, 11), (1, 4)),
        case("larger", (2, 3, 5, 5), (7, 7)),
        case("doubled", (1, 2, 4, 3), (8, 6)),
        case("larger_than_one", (2, 3, 1, 1), (3, 2)),
        case("larger_and_smaller", (1, 2, 4, 17), (11, 5)),
        case("width_443", (1, 1, 2, 443), (1, 17)),
        case("channels_443", (1, 443, 5, 4), (3, 3)),
        case("channels_48", (2, 48, 7, 6), (3, 4)),
        case("batch_443", (443, 1, 3, 4), (2, 3)),
        case("large_windows", (1, 2, 67, 71), (3, 2)),
        case("nan", (1, 2, 8, 9), (3, 4), fill=not_a_number),
    ]
