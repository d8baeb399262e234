"""relu, softmax and log_softmax: y and the gradient by x of sum(y * dy)."""
import torch
import torch.nn.functional as F

from cases import Case

NAN, INF = float("nan"), float("inf")


def relu(name, x):
    case = Case("relu_" + name, kind="relu")
    case.given("x", torch.tensor(x, dtype=torch.float32)) if isinstance(x, list) else case.normal("x", x)
    leaf = case.leaf("x")
    case.backward(F.relu(leaf), x=leaf)
    return case


def softmaxes(name, x, axis, mean=0.0, deviation=1.0):
    """The same input through both."""
    for kind, function in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        case = Case(f"{kind}_{name}", kind=kind, axis=axis)
        if isinstance(x, list):
            case.given("x", torch.tensor(x, dtype=torch.float32))
        else:
            case.normal("x", x, mean, deviation)
        leaf = case.leaf("x")
        case.backward(function(leaf, axis), x=leaf)
        yield case


def cases():
    return [
        relu("plain", (3, 7)),
        relu("443", (443,)),
        relu("empty", (0, 5)),
        relu("image", (2, 3, 5, 7)),
        relu("special", [NAN, INF, -INF, 0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38]),
        *softmaxes("plain", (4, 10), 1),
        *softmaxes("one_class", (4, 1), 1),
        *softmaxes("empty", (0, 10), 1),
        *softmaxes("443_classes", (3, 443), -1),
        *softmaxes("443_rows", (443, 3), 1),
        *softmaxes("first_axis", (5, 6), 0),
        *softmaxes("vector", (17,), 0),
        *softmaxes("channels", (2, 5, 3, 7), 1),
        *softmaxes("rows_of_image", (2, 5, 3, 7), 2),
        *softmaxes("last_of_image", (2, 5, 3, 7), -1),
        *softmaxes("large", (5, 11), 1, mean=5000.0, deviation=30.0),
        *softmaxes("very_negative", (5, 11), 1, mean=-1e30, deviation=1e29),
        *softmaxes("special", [[0.0, INF, 1.0], [-INF, 0.5, 1.0], [-INF, -INF, -INF], [NAN, 1.0, 2.0], [-INF, 3.0, -INF]], 1),
    ]
