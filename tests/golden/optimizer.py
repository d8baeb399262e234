"""Twenty steps of torch.optim with given gradients: three parameters after steps 1, 2, 5 and 20.

The last parameter gets no gradient in the first two steps, so that its state begins later than that of the others.
"""
import torch

from cases import Case

SHAPES = ((7, 5), (443,), (3, 2, 3, 1))
STEPS, LATE = 20, 2
CHECKED = (1, 2, 5, 20)


def steps(name, kind, **settings):
    case = Case(name, kind=kind, late=LATE, checked=list(CHECKED), **settings)
    parameters = []
    for i, shape in enumerate(SHAPES):
        case.normal(f"p{i}", shape)
        case.normal(f"g{i}", (STEPS, *shape))
        parameters.append(case.leaf(f"p{i}"))
    optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[kind](parameters, **settings)
    for step in range(1, STEPS + 1):
        for i, parameter in enumerate(parameters):
            late = i == len(parameters) - 1 and step <= LATE
            parameter.grad = None if late else case.tensors[f"g{i}"][step - 1].double()
        optimizer.step()
        if step in CHECKED:
            for i, parameter in enumerate(parameters):
                case.result(f"p{i}_after_{step}", parameter)
    return case


def cases():
    return [
        steps("sgd", "sgd", lr=0.1),
        steps("sgd_weight_decay", "sgd", lr=0.1, weight_decay=0.01),
        steps("sgd_momentum", "sgd", lr=0.05, momentum=0.9),
        steps("sgd_dampening", "sgd", lr=0.05, momentum=0.8, dampening=0.3),
        steps("sgd_nesterov", "sgd", lr=0.05, momentum=0.9, nesterov=True),
        steps("sgd_all", "sgd", lr=0.05, momentum=0.7, nesterov=True, weight_decay=0.05),
        steps("adam", "adam", lr=0.01),
        steps("adam_weight_decay", "adam", lr=0.01, weight_decay=0.1),
        steps("adam_settings", "adam", lr=0.03, betas=[0.7, 0.95], eps=1e-3),
    ]
