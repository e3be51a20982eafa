"""Writes what PyTorch and transformers compute for tiny random ALBERTs: albert.py DIRECTORY [NAME ...]

For each configuration NAME, DIRECTORY/NAME/ gets config.json and model.safetensors, as save_pretrained writes them, and
golden.safetensors. README.md lists the tensors of the latter. Everything is computed in float64 on one thread, from
fixed seeds, so that a second run writes the same bytes.
"""

import json
import pathlib
import sys

import safetensors
import safetensors.torch
import torch
import transformers

import activations
import optimizers

SMALL = dict(
    vocab_size=97, embedding_size=16, hidden_size=32, num_attention_heads=4, intermediate_size=64,
    max_position_embeddings=16, type_vocab_size=2, num_hidden_layers=2, num_hidden_groups=1, inner_group_num=1,
    hidden_act="gelu_new", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout_prob=0.0,
    layer_norm_eps=1e-12, pad_token_id=0, bos_token_id=2, eos_token_id=3,
)

# Each configuration's seed, and what it has that SMALL has not. Seeds were chosen so that the ten training steps are
# well-conditioned: float32.py stays within a quarter of the tolerance of ten losses.
CONFIGURATIONS = {
    "base": (0, {}),
    "gelu": (1, dict(hidden_act="gelu")),
    "relu": (2, dict(hidden_act="relu", num_hidden_layers=1)),
    "silu": (3, dict(hidden_act="silu", num_hidden_layers=1)),
    "groups": (13, dict(num_hidden_layers=4, num_hidden_groups=2)),
    "uneven": (5, dict(num_hidden_layers=3, num_hidden_groups=2)),
    "inner": (9, dict(inner_group_num=2)),
}

# One row each: whole, padded on the right, padded on the left, with a hole.
ATTENTION_MASK = [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 0, 0],
    [0, 0, 1, 1, 1, 1, 1],
    [1, 1, 1, 0, 1, 1, 1],
]
LABELLED = [(0, 1), (0, 4), (1, 2), (2, 3), (3, 1), (3, 5)]  # (row, position) of the masked-LM labels
SECOND_SENTENCE = [4, 2, 5, 4]  # where the token types become 1
# The pooler reads position 0, which in the row padded on the left is no token of the sequence: no label there.
SENTENCE_ORDER_LABEL = [0, 1, -100, 1]
PAD, CLS, MASK = 0, 2, 4


def make_model(config, seed, kind=transformers.AlbertForPreTraining):
    """A model with every weight random, biases and norms too, and wide enough that attention is far from uniform."""
    model = kind._from_config(config, attn_implementation="eager")
    generator = torch.Generator().manual_seed(seed)

    def normal(parameter, mean, std):
        parameter.copy_(mean + std * torch.randn(parameter.shape, generator=generator))

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm.weight" in name.lower():
                normal(parameter, 1.0, 0.3)
            elif name.endswith("bias"):
                normal(parameter, 0.0, 0.2)
            elif "_embeddings." in name:
                normal(parameter, 0.0, 0.4)
            else:
                normal(parameter, 0.0, 0.2)
    return model.eval()


def make_batch(config, seed):
    """Four sequences of seven; the ids of hidden places are pads, but for the hole, which holds a token."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.tensor(ATTENTION_MASK)
    ids = torch.randint(5, config.vocab_size, mask.shape, generator=generator)
    labels = torch.full(mask.shape, -100)
    for row, position in LABELLED:
        labels[row, position] = ids[row, position]
    ids[0, 4] = ids[1, 2] = ids[3, 1] = MASK  # the others keep their token, or have another's
    ids[2, 3] = ids[0, 5]
    ids[0, 6] = PAD  # attended: PyTorch's padding_idx gives such a token no gradient
    ids[1, 4:] = ids[2, :2] = PAD
    ids[:2, 0] = ids[2, 2] = ids[3, 0] = CLS
    positions = torch.arange(mask.shape[1])
    return dict(
        input_ids=ids,
        attention_mask=mask,
        token_type_ids=(positions >= torch.tensor(SECOND_SENTENCE)[:, None]).long(),
        labels=labels,
        sentence_order_label=torch.tensor(SENTENCE_ORDER_LABEL),
    )


def losses_of(model, batch):
    """Masked-LM loss, sentence-order loss and their sum, as AlbertForPreTraining adds them up."""
    out = model(**batch)
    entropy = torch.nn.functional.cross_entropy
    masked_lm = entropy(out.prediction_logits.flatten(0, 1), batch["labels"].flatten())
    sentence_order = entropy(out.sop_logits, batch["sentence_order_label"])
    assert torch.equal(out.loss, masked_lm + sentence_order)
    return dict(masked_lm_loss=masked_lm, sentence_order_loss=sentence_order, loss=out.loss)


def forward_and_backward(model, batch):
    with activations.recorded(model) as golden:
        losses = losses_of(model, batch)
    losses["loss"].backward()
    golden.update({name: loss.reshape(1) for name, loss in losses.items()})
    for name, parameter in model.named_parameters():
        golden["grad." + name] = parameter.grad.clone()
    return golden


def train(model, batch, optimizer, hyperparameters):
    """Ten steps on one batch: the losses before each update, the gradient's norms before clipping."""
    rule = optimizers.RULES[optimizer](dict(model.named_parameters()), hyperparameters)
    losses, norms = [], []
    for _ in range(10):
        model.zero_grad()
        loss = losses_of(model, batch)["loss"]
        loss.backward()
        norms.append(rule.step())
        losses.append(loss.item())
    return losses, norms


def ten_steps(directory, dtype, batch, keep_weights):
    golden = {}
    for name, hyperparameters in optimizers.HYPERPARAMETERS.items():
        model = load(directory, dtype)
        losses, norms = train(model, batch, name, hyperparameters)
        golden["losses." + name] = torch.tensor(losses, dtype=torch.float64)
        golden["grad_norms." + name] = torch.tensor(norms, dtype=torch.float64)
        golden["hyperparameters." + name] = torch.tensor(
            [float(v) for v in hyperparameters.values()], dtype=torch.float64)
        if keep_weights:
            golden.update({f"final.{name}.{n}": p.detach() for n, p in model.named_parameters()})
    return golden


def load(directory, dtype):
    """The checkpoint in directory, whose float32 weights are exact in float64 too."""
    model = transformers.AlbertForPreTraining.from_pretrained(directory, attn_implementation="eager")
    return model.to(dtype).eval()


def check_groups(config):
    """Refuses a configuration whose groups transformers finds by a rounded quotient that is not the exact one."""
    layers, groups = config.num_hidden_layers, config.num_hidden_groups
    for i in range(layers):
        assert int(i / (layers / groups)) == i * groups // layers


def write(directory, seed, differences, keep_weights):
    directory.mkdir(parents=True, exist_ok=True)
    config = transformers.AlbertConfig(**{**SMALL, **differences})
    check_groups(config)
    make_model(config, seed).save_pretrained(directory)

    batch = make_batch(config, 100 + seed)
    golden = dict(batch)
    golden.update(forward_and_backward(load(directory, torch.float64), batch))
    golden.update(ten_steps(directory, torch.float64, batch, keep_weights))
    # One key only: the file's writer does not keep the order of several.
    metadata = dict(
        written_by="tools/golden/albert.py", python=sys.version.split()[0], torch=torch.__version__.split("+")[0],
        transformers=transformers.__version__, safetensors=safetensors.__version__,
        hyperparameters=optimizers.HYPERPARAMETERS,
    )
    tensors = {key: value.detach().contiguous() for key, value in golden.items()}
    safetensors.torch.save_file(tensors, directory / "golden.safetensors", {"golden": json.dumps(metadata)})
    size = sum(file.stat().st_size for file in directory.iterdir())
    losses = ", ".join(
        f"{o} {golden['losses.' + o][0]:.3f} to {golden['losses.' + o][-1]:.3f}" for o in optimizers.HYPERPARAMETERS)
    print(f"{directory}: {len(tensors)} tensors, {size / 1e3:.0f} kB; loss by {losses}")


def set_up():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()


def main(directory, *names):
    set_up()
    for name, (seed, differences) in CONFIGURATIONS.items():
        if not names or name in names:
            write(pathlib.Path(directory) / name, seed, differences, keep_weights=name == "base")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
