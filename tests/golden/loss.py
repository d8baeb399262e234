"""cross_entropy: the loss and the gradient by the logits of dloss * loss."""
import torch
import torch.nn.functional as F

from cases import Case


def cross_entropy(name, x, weights=False, smoothing=0.0, ignored=0, ignore_index=-100, reduction="mean", deviation=1.0, mean=0.0):
    """x is (N, C, ...); the first `ignored` labels in memory are the ignored one."""
    case = Case(name, weights=weights, smoothing=smoothing, ignore_index=ignore_index, reduction=reduction)
    case.normal("x", x, mean, deviation)
    labels = case.labels("labels", (x[0], *x[2:]), x[1])
    labels.view(-1)[:ignored] = ignore_index
    weight = None
    if weights:
        weight = case.given("w", torch.rand(x[1], generator=case.generator) + 0.25).double()
    logits = case.leaf("x")
    loss = F.cross_entropy(logits, labels, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=smoothing)
    case.backward(loss, x=logits)
    return case


def cases():
    c = cross_entropy
    return [
        c("plain", (4, 10)),
        c("one_row", (1, 10)),
        c("one_class", (5, 1)),
        c("classes_443", (3, 443)),
        c("rows_443", (443, 3)),
        c("sum", (7, 5), reduction="sum"),
        c("weights", (9, 5), weights=True),
        c("weights_sum", (9, 5), weights=True, reduction="sum"),
        c("smoothing", (6, 10), smoothing=0.1),
        c("smoothing_1", (6, 10), smoothing=1.0),
        c("smoothing_weights", (8, 6), smoothing=0.2, weights=True),
        c("smoothing_weights_sum", (8, 6), smoothing=0.2, weights=True, reduction="sum"),
        c("ignored", (9, 4), ignored=3),
        c("ignored_class", (9, 4), ignored=2, ignore_index=2),
        c("ignored_weights_smoothing", (11, 4), ignored=3, ignore_index=1, weights=True, smoothing=0.15),
        c("all_ignored", (3, 4), ignored=3),
        c("all_ignored_sum", (3, 4), ignored=3, reduction="sum"),
        c("empty_batch", (0, 4)),
        c("empty_batch_sum", (0, 4), reduction="sum"),
        c("pixels", (2, 5, 3, 7), ignored=4),
        c("pixels_weights_smoothing", (2, 5, 3, 7), weights=True, smoothing=0.1),
        c("sequence", (3, 4, 11)),
        c("large_logits", (5, 7), mean=3000.0, deviation=200.0),
    ]
