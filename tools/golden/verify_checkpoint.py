"""Loads with transformers a checkpoint that Go wrote: verify_checkpoint.py DIRECTORY [FILE]

FILE holds inputs and Go's outputs (see exchange.py). Exits 1 if a key is missing, unexpected or misshapen, or an output
differs by more than the tolerance.
"""

import sys

import torch
import transformers

import exchange


def load(directory):
    config = transformers.AutoConfig.from_pretrained(directory)
    architecture = getattr(transformers, config.architectures[0])
    model, report = architecture.from_pretrained(directory, attn_implementation="eager", output_loading_info=True)
    print(f"{directory}: {config.architectures[0]}, {sum(p.numel() for p in model.parameters()):,} parameters")
    wrong = {what: keys for what, keys in report.items() if keys}
    for what, keys in wrong.items():
        print(f"{directory}: {what}: {sorted(keys)}")
    return model.eval(), not wrong


def main(directory, file=None):
    model, ok = load(directory)
    if file:
        inputs, want = exchange.read(file)
        with torch.no_grad():
            out = model(**{name: torch.from_numpy(value) for name, value in inputs.items()})
        got = {name: out[name].numpy() for name in want}
        ok = exchange.agree("transformers", got, want, inputs["attention_mask"]) and ok
    return 0 if ok else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
