"""Judges files of whole numbers with numpy and ONNX's reference evaluator: quantized.py CHECKPOINT MODEL.onnx ...

Each matrix of the file is multiplied out by numpy and compared with the checkpoint's: no weight may be off by more than
half a step. Then the file runs in ONNX Runtime, and beside it in ONNX's reference evaluator: an int8 file as it is, an
int4 file with standard operators on the matrices that numpy multiplied out, in place of ONNX Runtime's own. Exits 1 where
something is wrong.
"""

import os
import sys

import numpy
import onnx
import onnx.reference
import onnxruntime
import safetensors.numpy

import check_onnx
import exchange

# Of int8: where the last bits of an activation differ between the engines, now and then one is rounded to the next level, and
# what follows is rounded from there. So they are as far apart as rounding is off, up to half a level: a noise of 1.1 % for
# each activation in a row (internal/numeric, Int8Noise). Small models are mostly equal to the last bits.
NOISE = 10 / 255 / 12**0.5


def nibbles(packed):
    """The unsigned numbers of four bits along the last axis, the low half of each byte first."""
    return numpy.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:-1], -1)


def multiplied_out(tensors, name, shape):
    """The matrix (rows, columns) that a file stores, and the size of each weight's step."""
    levels, scale = tensors[name], tensors[name + ".scale"]
    rows, columns = shape
    if levels.dtype == numpy.int8:
        if "_embeddings." not in name:  # a linear, as (columns, rows)
            levels = levels.T
        step = numpy.broadcast_to(scale[:, None], shape)
        return levels.reshape(shape) * step, step
    blocks = scale.shape[1]
    zeros = nibbles(tensors[name + ".zero_point"])[:, :blocks]
    levels = nibbles(levels.reshape(rows, columns // 2)).reshape(rows, blocks, columns // blocks)
    step = numpy.broadcast_to(scale[:, :, None], levels.shape)
    values = (levels.astype(numpy.float32) - zeros[:, :, None]) * step
    return values.reshape(shape), step.reshape(shape)


def weights(tensors, checkpoint):
    """Every matrix of whole numbers, multiplied out, and whether all tensors are the checkpoint's."""
    ok, out, worst = True, {}, 0.0
    for name, want in checkpoint.items():
        if name not in tensors:
            continue  # the decoder's weight is the word embeddings
        if tensors[name].dtype not in (numpy.int8, numpy.uint8):
            ok = numpy.array_equal(tensors[name], want) and ok
            continue
        out[name], step = multiplied_out(tensors, name, want.shape)
        off = numpy.abs(out[name].astype(numpy.float64) - want) / step
        worst = max(worst, off.max())
        if not off.max() <= 0.5 + 1e-4:
            print(f"{name}: a weight is off by {off.max():.3f} steps")
            ok = False
    print(f"{len(out)} matrices of {sum(a.size for a in out.values()):,} weights, none off by more than {worst:.5f} steps")
    return out, ok and bool(out)


def as_rounded(who, got, want, attention_mask, most):
    """Prints how far got is from want where there is a token to attend to, and returns whether that is less than rounding."""
    ok = True
    mask = attention_mask.reshape(-1, attention_mask.shape[-1])
    for name, expected in sorted(want.items()):
        of_tokens = expected.ndim == 3 or name in exchange.OF_TOKENS
        rows = expected.reshape(*mask.shape, -1)[mask == 1] if of_tokens else expected.reshape(len(mask), -1)
        ours = got[name].reshape(*mask.shape, -1)[mask == 1] if of_tokens else got[name].reshape(len(mask), -1)
        difference = numpy.abs(ours.astype(numpy.float64) - rows)
        noise = (difference**2).mean() ** 0.5 / (rows.astype(numpy.float64) ** 2).mean() ** 0.5
        equal = (difference <= exchange.TOLERANCE + exchange.TOLERANCE * numpy.abs(rows)).mean()
        print(f"{who}: {name}: {rows.size} values, {equal:.2%} equal, largest difference {difference.max():.3g}, a noise of {noise:.4%} of {most:.1%}")
        ok = ok and got[name].shape == expected.shape and bool(noise <= most)
    return ok


def roundings(graph, tensors):
    """How many activations are rounded."""
    count = 0
    for node in graph.node:
        count += node.op_type == "DynamicQuantizeLinear"
        if node.op_type == "Loop":
            count += int(tensors[node.input[0]]) * roundings(node.attribute[0].g, tensors)
    return count


def attribute(node, name):
    return next(a.i for a in node.attribute if a.name == name)


def in_standard_operators(model, matrices):
    """The model with MatMul and Gather on float32 matrices."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    nodes = []
    for node in model.graph.node:
        # The decoder's matrix is the word embeddings', given another shape.
        name = node.input[1] if node.op_type == "MatMulNBits" else node.input[0]
        reshaped = [n.input[0] for n in model.graph.node if n.output[0] == name]
        name = reshaped[0] if reshaped and reshaped[0] in matrices else name
        if node.op_type == "MatMulNBits":
            assert matrices[name].shape == (attribute(node, "N"), attribute(node, "K"))
            node = onnx.helper.make_node("Gemm", [node.input[0], name + ".float"], node.output, transB=1)
        elif node.op_type == "GatherBlockQuantized":
            node = onnx.helper.make_node("Gather", [name + ".float", node.input[1]], node.output)
        elif node.op_type == "Reshape" and node.input[0] in matrices:
            continue
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name + ".float") for name, value in matrices.items())
    return model


def judge(path, checkpoint):
    model = onnx.load(path)
    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    print(f"{path}: {os.path.getsize(path):,} bytes, {len(model.graph.node)} nodes")
    matrices, ok = weights(tensors, checkpoint)
    int8 = any(a.dtype == numpy.int8 for a in tensors.values())
    if int8:
        onnx.checker.check_model(path, full_check=True)
    reference = onnx.reference.ReferenceEvaluator(model if int8 else in_standard_operators(model, matrices))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in model.graph.output]
    vocabulary = next(a.shape[0] for name, a in matrices.items() if "word_embeddings" in name)
    generator = numpy.random.default_rng(1)
    for batch, sequence in (1, 1), (1, 7), (3, 5), (2, 16):
        inputs = check_onnx.random_inputs(batch, sequence, vocabulary, generator)
        if len(model.graph.input[0].type.tensor_type.shape.dim) == 3:  # the rows are the choices of one question
            inputs = {name: value[None] for name, value in inputs.items()}
        got, want = dict(zip(names, session.run(None, inputs))), dict(zip(names, reference.run(None, inputs)))
        who = f"ONNX Runtime against the reference, batch {batch} of {sequence}"
        if int8:
            ok = as_rounded(who, got, want, inputs["attention_mask"], NOISE * roundings(model.graph, tensors) ** 0.5) and ok
        else:
            ok = exchange.agree(who, got, want, inputs["attention_mask"]) and ok
    return ok


def main(directory, *paths):
    checkpoint = safetensors.numpy.load_file(os.path.join(directory, "model.safetensors"))
    return 0 if all([judge(path, checkpoint) for path in paths]) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
