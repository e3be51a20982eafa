"""Inputs and outputs of a model that Go wrote into one safetensors file, and their comparison with others."""

import numpy
import safetensors.numpy

OF_TOKENS = ("start_logits", "end_logits")  # (batch, sequence): a number for each token
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TOLERANCE = 1e-4  # absolute and relative, as internal/numeric's Engine
TOLERANCE_HALF = 40 / 2048  # of a model in float16, as its EngineHalf


def read(path):
    """Inputs as int64, whatever type the file has, and outputs, both by name."""
    tensors = safetensors.numpy.load_file(path)
    missing = [name for name in INPUTS if name not in tensors]
    if missing or len(tensors) == len(INPUTS):
        raise SystemExit(f"{path} has {sorted(tensors)}; want {', '.join(INPUTS)} and at least one output")
    inputs = {name: tensors.pop(name).astype(numpy.int64) for name in INPUTS}
    return inputs, tensors


def agree(who, got, want, attention_mask, tolerance=TOLERANCE):
    """Prints how far got is from want where there is a token to attend to, and returns whether that is within tolerance.

    The pooled outputs of a row come from position 0, so they are compared where position 0 is attended. The choices of a
    question are rows.
    """
    ok = True
    attention_mask = attention_mask.reshape(-1, attention_mask.shape[-1])
    for name, expected in sorted(want.items()):
        of_tokens = expected.ndim == 3 or name in OF_TOKENS
        seen = attention_mask == 1 if of_tokens else attention_mask[:, 0] == 1
        if got[name].shape != expected.shape:
            print(f"{who}: {name} has shape {got[name].shape}, want {expected.shape}")
            ok = False
            continue
        if not seen.any():
            print(f"{who}: {name}: nothing to compare")
            continue
        rows = (len(attention_mask), *expected.shape[1:]) if of_tokens else (len(attention_mask), -1)
        a, b = (x.reshape(rows)[seen].astype(numpy.float64) for x in (got[name], expected))
        difference = numpy.abs(a - b)
        share = (difference / (tolerance + tolerance * numpy.abs(b))).max()
        print(f"{who}: {name}: {b.size} values, largest difference {difference.max():.3g}, {share:.1%} of the tolerance")
        ok = ok and bool(share <= 1)  # NaN is not
    return ok
