"""batch_norm over 1 to 3 batches in a row: y of the last, its gradients, and the running statistics after all of them."""
import torch
from torch import nn

from cases import Case


def batch_norm(name, x, train=True, affine=True, track=True, momentum=0.1, eps=1e-5, batches=1, mean=0.0, deviation=1.0):
    case = Case(name, train=train, affine=affine, track=track, momentum=momentum, eps=eps, batches=batches)
    channels = x[1]
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(x)]
    layer = kind(channels, eps=eps, momentum=momentum, affine=affine, track_running_stats=track).double()
    if affine:
        for parameter, short in ((layer.weight, "gamma"), (layer.bias, "beta")):
            parameter.data = case.normal(short, (channels,), mean=1.0 if short == "gamma" else 0.0, deviation=0.5).double()
    if track:
        layer.running_mean.copy_(case.normal("running_mean", (channels,)).double())
        layer.running_var.copy_(case.given("running_var", case.normal("unused", (channels,)).square() + 0.5).double())
        del case.tensors["unused"]
    layer.train(train)
    for batch in range(batches):
        case.normal(f"x{batch}", x, mean=mean, deviation=deviation)
        leaf = case.leaf(f"x{batch}")
        y = layer(leaf)
    case.backward(y, x=leaf, gamma=layer.weight if affine else None, beta=layer.bias if affine else None)
    if track:
        case.result("new_running_mean", layer.running_mean)
        case.result("new_running_var", layer.running_var)
        case.result("new_num_batches_tracked", layer.num_batches_tracked)
    return case


def cases():
    b = batch_norm
    return [
        b("1d", (5, 3)),
        b("1d_443_rows", (443, 2)),
        b("1d_443_channels", (3, 443)),
        b("1d_two_rows", (2, 7)),
        b("1d_one_channel", (9, 1)),
        b("1d_eval", (5, 3), train=False),
        b("1d_eval_one_row", (1, 3), train=False),
        b("1d_eval_empty", (0, 3), train=False),
        b("1d_length", (4, 3, 11)),
        b("1d_length_one_image", (1, 5, 443)),
        b("1d_length_eval", (4, 3, 11), train=False),
        b("2d", (2, 3, 5, 7)),
        b("2d_one_image", (1, 4, 3, 3)),
        b("2d_one_pixel", (6, 5, 1, 1)),
        b("2d_443_channels", (2, 443, 1, 3)),
        b("2d_eval", (2, 3, 5, 7), train=False),
        b("2d_eval_empty", (0, 3, 4, 4), train=False),
        b("2d_no_affine", (2, 3, 5, 7), affine=False),
        b("2d_no_affine_eval", (2, 3, 5, 7), affine=False, train=False),
        b("2d_untracked", (2, 3, 5, 7), track=False),
        b("2d_untracked_eval", (2, 3, 5, 7), track=False, train=False),
        b("2d_momentum", (2, 3, 5, 7), momentum=0.37, batches=3),
        b("2d_momentum_1", (2, 3, 5, 7), momentum=1.0),
        b("2d_momentum_0", (2, 3, 5, 7), momentum=0.0),
        b("2d_cumulative", (2, 3, 5, 7), momentum=None, batches=3),
        b("2d_eps", (2, 3, 5, 7), eps=0.25, deviation=0.1),
        b("2d_far_from_zero", (2, 3, 8, 8), mean=300.0, deviation=0.5),
        b("2d_constant", (2, 3, 4, 4), mean=2.0, deviation=0.0),
    ]
