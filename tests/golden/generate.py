"""Makes the golden numbers of the operations with PyTorch in float64: python3 tests/golden/generate.py [FAMILY...]

Deterministic: the same PyTorch writes the same bytes. Made with PyTorch 1.13 and NumPy 1.24.
"""
import pathlib
import sys

import torch

import activation
import adaptive_pooling
import convolution
import dense
import loss
import network
import normalization
import optimizer
import pooling
from cases import write

FAMILIES = {module.__name__: module for module in (activation, adaptive_pooling, convolution, dense, loss, network, normalization, optimizer, pooling)}


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parent
    for family in sys.argv[1:] or FAMILIES:
        cases = FAMILIES[family].cases()
        print(f"{family}: {len(cases)} cases, {write(folder, family, cases):,} bytes")


if __name__ == "__main__":
    main()
