"""Checks a model that Go exported, with ONNX's own checker and engines: check_onnx.py MODEL.onnx [FILE]

Runs onnx.checker with full_check, refuses a matrix that is stored twice, and runs the model in ONNX's reference
evaluator and in ONNX Runtime: against Go's outputs in FILE (see exchange.py), else against each other on random
sequences of several shapes. Exits 1 where something is wrong.
"""

import collections
import hashlib
import os
import sys

import numpy
import onnx
import onnx.reference
import onnxruntime

import exchange


def check(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    initializers = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    opsets = ", ".join(f"{opset.domain or 'ai.onnx'} {opset.version}" for opset in model.opset_import)
    print(f"{path}: {os.path.getsize(path):,} bytes, IR {model.ir_version}, opset {opsets}, {len(model.graph.node)} nodes, "
          f"{len(initializers)} initializers of {sum(a.nbytes for a in initializers):,} bytes")
    return model, no_matrix_twice(model)


def no_matrix_twice(model):
    names = collections.defaultdict(list)
    for tensor in model.graph.initializer:
        value = onnx.numpy_helper.to_array(tensor)
        if value.ndim >= 2:
            # A matrix and its transpose count as the same.
            forms = {hashlib.sha256(a.tobytes()).hexdigest() for a in (value, value.T)}
            names[min(forms)].append(tensor.name)
    twice = [same for same in names.values() if len(same) > 1]
    for same in twice:
        print(f"stored more than once: {', '.join(same)}")
    return not twice


def run(model, path, inputs):
    """Outputs by name of each engine."""
    names = [output.name for output in model.graph.output]
    feed = {i.name: inputs[i.name] for i in model.graph.input}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return {
        "onnx reference": dict(zip(names, onnx.reference.ReferenceEvaluator(model).run(None, feed))),
        "ONNX Runtime": dict(zip(names, session.run(None, feed))),
    }


def random_inputs(batch, sequence, vocabulary, generator):
    ids = generator.integers(0, vocabulary, (batch, sequence))
    lengths = generator.integers(1, sequence + 1, batch)
    mask = (numpy.arange(sequence) < lengths[:, None]).astype(numpy.int64)
    return dict(input_ids=ids, attention_mask=mask, token_type_ids=generator.integers(0, 2, (batch, sequence)))


def main(path, file=None):
    model, ok = check(path)
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in model.graph.initializer)
    tolerance = exchange.TOLERANCE_HALF if half else exchange.TOLERANCE
    if file:
        inputs, want = exchange.read(file)
        for engine, got in run(model, path, inputs).items():
            ok = exchange.agree(engine, got, want, inputs["attention_mask"], tolerance) and ok
        return 0 if ok else 1
    generator = numpy.random.default_rng(1)
    vocabulary = max(max(t.dims) for t in model.graph.initializer if len(t.dims) == 2 and "word_embeddings" in t.name)
    for batch, sequence in (1, 1), (1, 7), (3, 5), (2, 16):
        inputs = random_inputs(batch, sequence, vocabulary, generator)
        if len(model.graph.input[0].type.tensor_type.shape.dim) == 3:  # the rows are the choices of one question
            inputs = {name: value[None] for name, value in inputs.items()}
        engines = run(model, path, inputs)
        who = f"ONNX Runtime against the reference, batch {batch} of {sequence}"
        ok = exchange.agree(who, engines["ONNX Runtime"], engines["onnx reference"], inputs["attention_mask"], tolerance) and ok
    return 0 if ok else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
