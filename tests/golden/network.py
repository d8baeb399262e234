"""A small network trained for five steps: its weights before and after under PyTorch's state-dict keys, and its losses."""
import torch
import torch.nn.functional as F
from torch import nn

from cases import Case


def network():
    case = Case("small_network", steps=5, lr=0.1, momentum=0.9)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, groups=2, bias=False), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32, 10))
    for key, tensor in model.state_dict().items():
        case.given("before." + key, tensor)
    model = model.double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for step in range(5):
        case.normal(f"x{step}", (8, 1, 12, 12))
        labels = case.labels(f"labels{step}", (8,), 10)
        loss = F.cross_entropy(model(case.tensors[f"x{step}"].double()), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    case.result("losses", torch.stack(losses))
    for key, tensor in model.state_dict().items():
        case.result("after." + key, tensor)
    model.eval()
    case.result("scores", model(case.tensors["x0"].double()))
    return case


def cases():
    return [network()]
