"""linear: y = x w^T + b, and the gradients of sum(y * dy)."""
import torch.nn.functional as F

from cases import Case


def linear(name, rows, inputs, outputs, bias=True):
    case = Case(name)
    case.normal("x", (*rows, inputs))
    case.normal("w", (outputs, inputs), deviation=max(inputs, 1) ** -0.5)
    if bias:
        case.normal("b", (outputs,))
    x, w = case.leaf("x"), case.leaf("w")
    b = case.leaf("b") if bias else None
    case.backward(F.linear(x, w, b), x=x, w=w, b=b)
    return case


def cases():
    return [
        linear("plain", (4,), 6, 3),
        linear("no_bias", (4,), 6, 3, bias=False),
        linear("single_element", (1,), 1, 1),
        linear("empty_batch", (0,), 6, 3),
        linear("primes", (7,), 13, 11),
        linear("one_row", (1,), 120, 84),
        linear("one_output", (5,), 37, 1),
        linear("one_input", (5,), 1, 37),
        linear("inputs_443", (3,), 443, 5),
        linear("outputs_443", (3,), 5, 443),
        linear("rows_443", (443,), 5, 3),
        linear("blocks", (64,), 84, 52),
        linear("three_dimensions", (3, 5), 7, 4),
    ]
