"""What every family shares: seeded inputs, a case, and the files that hold them.

Inputs are float32, so that both sides start from identical numbers; outputs and gradients are computed and stored in
float64. A family is two files: NAME.json lists the cases with their attributes, NAME.safetensors holds the tensors,
named "case/tensor" (https://github.com/huggingface/safetensors describes the layout).
"""
import json
import struct
import zlib

import numpy as np
import torch


class Case:
    """One row of a table: attributes for the caller, tensors by name."""

    def __init__(self, name, **attributes):
        self.name = name
        self.attributes = attributes
        self.tensors = {}
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def normal(self, name, shape, mean=0.0, deviation=1.0):
        """Normal float32 numbers under this name, seeded by the case's name."""
        values = torch.randn(shape, generator=self.generator, dtype=torch.float32) * deviation + mean
        return self.given(name, values)

    def labels(self, name, shape, classes):
        return self.given(name, torch.randint(0, max(classes, 1), shape, generator=self.generator))

    def given(self, name, values):
        """Stores an input."""
        self.tensors[name] = values.detach().clone()
        return self.tensors[name]

    def leaf(self, name):
        """A stored input as float64 that gradients flow to."""
        return self.tensors[name].double().requires_grad_(True)

    def result(self, name, values):
        """Stores an output or a gradient."""
        assert values.dtype in (torch.float64, torch.int64), (self.name, name, values.dtype)
        self.tensors[name] = values.detach().clone()

    def backward(self, y, **leaves):
        """Stores y, draws dy, and stores the gradients of sum(y * dy)."""
        self.result("y", y)
        dy = self.normal("dy", y.shape)
        y.backward(dy.double())
        for name, leaf in leaves.items():
            if leaf is not None:
                self.result("d" + name, leaf.grad if leaf.grad is not None else torch.zeros_like(leaf))


TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


def write(folder, family, cases):
    """Writes the two files of a family."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    index = [{"name": case.name, **({"attributes": case.attributes} if case.attributes else {})} for case in cases]
    with open(folder / f"{family}.json", "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(entry) for entry in index) + "\n]\n")

    header, blobs, offset = {}, [], 0
    for case in cases:
        for name, tensor in case.tensors.items():
            blob = np.ascontiguousarray(tensor.numpy()).tobytes()
            header[f"{case.name}/{name}"] = {
                "dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
            blobs.append(blob)
            offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / f"{family}.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    return 8 + len(text) + offset
