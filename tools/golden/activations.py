"""Records what the parts of an AlbertForPreTraining compute, under the names of README.md."""

import contextlib

# Parts of the model that run once in a forward pass, and the name that their output is recorded under.
ONCE = {
    "albert.embeddings": "embeddings",
    "albert.encoder.embedding_hidden_mapping_in": "embedding_hidden_mapping_in",
    "albert.pooler_activation": "pooler_output",
    "predictions.dense": "predictions_dense",
    "predictions.LayerNorm": "predictions_layer_norm",
    "predictions.decoder": "prediction_logits",
    "sop_classifier.classifier": "sop_logits",
}

# Parts of a layer, each recorded once for every use of the layer.
LAYER = {
    "attention.query": "query",
    "attention.key": "key",
    "attention.value": "value",
    "attention.attention_dropout": "attention_probs",
    "attention.dense": "attention_dense",
    "attention.LayerNorm": "attention_layer_norm",
    "ffn": "ffn",
    "activation": "ffn_activation",
    "ffn_output": "ffn_output",
    "full_layer_layer_norm": "full_layer_layer_norm",
}


@contextlib.contextmanager
def recorded(model):
    """Yields a dictionary that the forward passes within it fill."""
    record, hooks = {}, []
    uses = -1  # of layers so far; the one that runs now is layers.DEPTH.INNER

    def begin_layer(module, inputs):
        nonlocal uses
        uses += 1

    def put(name, value):
        assert name not in record, name
        record[name] = value.detach().clone()

    def put_layer(name, value):
        depth, inner = divmod(uses, model.config.inner_group_num)
        put(f"layers.{depth}.{inner}.{name}", value)

    def hook(module, name, to):
        hooks.append(module.register_forward_hook(lambda m, inputs, output: to(name, output)))

    for path, name in ONCE.items():
        hook(model.get_submodule(path), name, put)
    for group in model.albert.encoder.albert_layer_groups:
        for layer in group.albert_layers:
            hooks.append(layer.register_forward_pre_hook(begin_layer))
            for path, name in LAYER.items():
                hook(layer.get_submodule(path), name, put_layer)
            hooks.append(layer.attention.dense.register_forward_pre_hook(
                lambda m, inputs: put_layer("context", inputs[0])))
    try:
        yield record
    finally:
        for h in hooks:
            h.remove()
