"""Prints the numbers of CpuOptimizerTests: what PyTorch 1.13 makes in float32 of a few parameters in three steps."""

import struct

import torch

START = [1.0, -0.5, 0.1, 3.0, -1e-3, 0.7, -2.25]
GRADIENTS = [[0.3, -0.1, 1e-4, 2.0, 0.05, -0.7, 0.0], [-0.2, 0.15, 3e-4, 1.0, -0.01, -0.6, 0.125], [0.01, 0.4, -2e-4, -0.5, 0.002, 0.9, 1.5]]


def run(name, optimizer, **settings):
    parameter = torch.nn.Parameter(torch.tensor(START))
    steps = optimizer([parameter], **settings)
    for gradient in GRADIENTS:
        parameter.grad = torch.tensor(gradient)
        steps.step()
    bits = [struct.unpack("<I", struct.pack("<f", value))[0] for value in parameter.tolist()]
    print(name, ", ".join(f"0x{b:08X}" for b in bits))


run("adam", torch.optim.Adam, lr=0.01, betas=(0.9, 0.999), eps=1e-8)
run("adam with decay", torch.optim.Adam, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.01)
run("sgd", torch.optim.SGD, lr=0.05)
run("sgd with momentum and decay", torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=5e-4)
run("sgd with dampening", torch.optim.SGD, lr=0.05, momentum=0.9, dampening=0.1)
run("sgd of nesterov", torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
