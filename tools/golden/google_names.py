"""Writes a checkpoint with the names of Google's TensorFlow code, and what transformers makes of it: google_names.py DIRECTORY

DIRECTORY gets config.json as Google writes it, model.safetensors with random variables by Google's names, those of the
optimizer too, and transformers.safetensors: the AlbertForPreTraining into which load_tf_weights_in_albert of transformers
loads them. That function asks TensorFlow for the variables; here it asks a dictionary.
"""

import contextlib
import io
import json
import pathlib
import sys
import types

import numpy
import safetensors.numpy
import safetensors.torch
import transformers
from transformers.models.albert import modeling_albert

V, E, H, I, POSITIONS, GROUPS, INNER = 53, 8, 12, 20, 10, 2, 2

CONFIG = {
    "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "embedding_size": E,
    "hidden_size": H, "initializer_range": 0.02, "intermediate_size": I, "max_position_embeddings": POSITIONS,
    "num_attention_heads": 3, "num_hidden_layers": 4, "num_hidden_groups": GROUPS, "net_structure_type": 0, "gap_size": 0,
    "num_memory_blocks": 0, "inner_group_num": INNER, "down_scale_factor": 1, "type_vocab_size": 2, "vocab_size": V,
}


def shapes():
    """The variables of modeling.py and run_pretraining.py by name: kernels are (in, out)."""
    def dense(name, inputs, outputs):
        return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}

    def norm(name, size):
        return {f"{name}/gamma": (size,), f"{name}/beta": (size,)}

    variables = {
        "bert/embeddings/word_embeddings": (V, E),
        "bert/embeddings/position_embeddings": (POSITIONS, E),
        "bert/embeddings/token_type_embeddings": (2, E),
        **norm("bert/embeddings/LayerNorm", E),
        **dense("bert/encoder/embedding_hidden_mapping_in", E, H),
        **dense("bert/pooler/dense", H, H),
        **dense("cls/predictions/transform/dense", H, E),
        **norm("cls/predictions/transform/LayerNorm", E),
        "cls/predictions/output_bias": (V,),
        "cls/seq_relationship/output_weights": (2, H),
        "cls/seq_relationship/output_bias": (2,),
    }
    for group in range(GROUPS):
        for inner in range(INNER):
            scope = f"bert/encoder/transformer/group_{group}/inner_group_{inner}"
            for name in ("query", "key", "value"):
                variables |= dense(f"{scope}/attention_1/self/{name}", H, H)
            variables |= dense(f"{scope}/attention_1/output/dense", H, H)
            variables |= norm(f"{scope}/LayerNorm", H)
            variables |= dense(f"{scope}/ffn_1/intermediate/dense", H, I)
            variables |= dense(f"{scope}/ffn_1/intermediate/output/dense", I, H)
            variables |= norm(f"{scope}/LayerNorm_1", H)
    return variables


def main(directory):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(31)
    variables = {}
    for name, shape in shapes().items():
        for suffix in ("", "/adam_m", "/adam_v"):
            variables[name + suffix] = random.standard_normal(shape, dtype=numpy.float32)
    variables["global_step"] = numpy.array([1000], dtype=numpy.int64)

    train = types.SimpleNamespace(list_variables=lambda path: [(name, v.shape) for name, v in variables.items()],
                                  load_variable=lambda path, name: variables[name])
    sys.modules["tensorflow"] = types.SimpleNamespace(train=train)
    config = transformers.AlbertConfig(**CONFIG)
    model = transformers.AlbertForPreTraining(config)
    with contextlib.redirect_stdout(io.StringIO()):
        modeling_albert.load_tf_weights_in_albert(model, config, "variables")
    loaded = {name: value.contiguous() for name, value in model.state_dict().items()
              if not name.startswith("predictions.decoder.")}  # tied

    (directory / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    safetensors.numpy.save_file(variables, directory / "model.safetensors")
    safetensors.torch.save_file(loaded, directory / "transformers.safetensors", {"transformers": transformers.__version__})
    print(f"{directory}: {len(variables)} variables, {len(loaded)} tensors of transformers")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
