"""Says how far PyTorch's own float32 is from the golden files: float32.py DIRECTORY

The figures are in the derivations of internal/numeric/tolerance.go: no float32 implementation can be asked for less.
"""

import pathlib
import sys

import safetensors.torch
import torch

import albert

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "labels", "sentence_order_label")


def worst(got, golden, names):
    """The largest |got - want| / (1 + |want|) over the tensors, and whose it is."""
    def error(name):
        return ((got[name].double() - golden[name]).abs() / (1 + golden[name].abs())).max().item()
    name = max(names, key=error)
    return f"{error(name):.1e} ({name})"


def main(directory):
    albert.set_up()
    for path in sorted(pathlib.Path(directory).iterdir()):
        golden = safetensors.torch.load_file(path / "golden.safetensors")
        batch = {name: golden[name] for name in INPUTS}
        got = albert.forward_and_backward(albert.load(path, torch.float32), batch)
        gradients = [name for name in got if name.startswith("grad.")]
        print(f"{path.name}: activations and losses {worst(got, golden, got.keys() - gradients)}")
        print(f"    gradients {worst(got, golden, gradients)}")
        got = albert.ten_steps(path, torch.float32, batch, keep_weights=False)
        for name in albert.optimizers.HYPERPARAMETERS:
            difference = (got["losses." + name] - golden["losses." + name]).abs().max()
            print(f"    ten losses by {name} {difference:.1e}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
