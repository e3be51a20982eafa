"""Judges files in standard operators with ONNX's reference evaluator: reference.py GOLDEN.safetensors MODEL.onnx ...

Runs each file on the inputs of a golden file of this directory's scripts, and compares every output that both have, at
attended positions, with what transformers computed in float64: outputs by their names, intermediate values (albert
parity --tensors has them) by the golden files' names for them. Exits 1 where something is wrong.
"""

import sys

import numpy
import onnx
import onnx.reference
import safetensors.numpy

import exchange


def golden_name(name, tensors):
    """The golden files' name of an output, or None."""
    if name.startswith("embeddings."):
        return {"embeddings.output": "embeddings", "embeddings.hidden": "embedding_hidden_mapping_in"}[name]
    if name.startswith("layers."):
        _, use, part = name.split(".")
        inner = 1 + max(int(key.split(".")[2]) for key in tensors if key.startswith("layers."))
        part = {"output": "full_layer_layer_norm"}.get(part, part)
        return f"layers.{int(use) // inner}.{int(use) % inner}.{part}"
    return name if name in tensors else None


def compare(path, inputs, tensors):
    model = onnx.load(path)
    names = [output.name for output in model.graph.output]
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.graph.initializer)
    tolerance = exchange.TOLERANCE_HALF if half else exchange.TOLERANCE
    got = dict(zip(names, onnx.reference.ReferenceEvaluator(model).run(None, inputs)))
    mask = inputs["attention_mask"].reshape(-1, inputs["attention_mask"].shape[-1])
    values, largest, worst = 0, 0.0, 0.0
    for name in names:
        want = tensors.get(golden_name(name, tensors))
        if want is None or got[name].shape != want.shape:
            print(f"{path}: {name} has shape {got[name].shape}, want one that the golden file has")
            return False
        by_token = want.ndim == 3 or name in ("start_logits", "end_logits")
        seen = mask == 1 if by_token else mask[:, 0] == 1
        if name == "sentence_embedding":
            seen = numpy.ones(len(mask), bool)
        rows = seen.shape + (-1,)
        a, b = (x.reshape(rows)[seen].astype(numpy.float64) for x in (got[name], want))
        difference = numpy.abs(a - b)
        values += b.size
        largest = max(largest, difference.max(initial=0))
        worst = max(worst, numpy.max(difference / (tolerance + tolerance * numpy.abs(b)), initial=0))
        if not numpy.isfinite(a).all():
            worst = numpy.inf
    print(f"{path}: {len(names)} outputs, {values} values, largest difference {largest:.3g}, {worst:.2%} of the tolerance")
    return values > 0 and bool(worst <= 1)


def main(golden, *paths):
    tensors = safetensors.numpy.load_file(golden)
    inputs = {name: tensors[name].astype(numpy.int64) for name in exchange.INPUTS}
    return 0 if all([compare(path, inputs, tensors) for path in paths]) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
