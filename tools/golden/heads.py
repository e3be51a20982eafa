"""Writes what transformers computes for a tiny random ALBERT of every head: heads.py DIRECTORY [NAME ...]

For each NAME, DIRECTORY/NAME/ gets config.json and model.safetensors, as save_pretrained writes them, and golden.safetensors
with the inputs and the outputs, computed in float64 from fixed seeds: a second run writes the same bytes. For each loss
that a head is fine-tuned with there is a LOSS.safetensors besides, of another batch with labels, the loss and its gradients.
"""

import json
import pathlib
import sys

import safetensors.torch
import sentence_transformers
import torch
import transformers

import albert

# Each head's class, seed, and what its configuration has that albert.SMALL has not.
HEADS = {
    "pretraining": (transformers.AlbertForPreTraining, 20, {}),
    "masked_lm": (transformers.AlbertForMaskedLM, 21, {}),
    "features": (transformers.AlbertModel, 22, {}),
    "single_label": (transformers.AlbertForSequenceClassification, 23, dict(
        id2label={0: "bad", 1: "neutral", 2: "good"}, label2id=dict(bad=0, neutral=1, good=2),
        problem_type="single_label_classification")),
    "multi_label": (transformers.AlbertForSequenceClassification, 24, dict(
        num_labels=4, problem_type="multi_label_classification")),
    "regression": (transformers.AlbertForSequenceClassification, 25, dict(num_labels=1, problem_type="regression")),
    "tokens": (transformers.AlbertForTokenClassification, 26, dict(
        id2label={0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"},
        label2id={"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4})),
    "answers": (transformers.AlbertForQuestionAnswering, 27, {}),
    "choices": (transformers.AlbertForMultipleChoice, 28, {}),
}


def inputs_of(kind, config, seed):
    batch = albert.make_batch(config, 100 + seed)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
    if kind is transformers.AlbertForMultipleChoice:
        return {name: value.reshape(2, 2, -1) for name, value in inputs.items()}
    return inputs


def outputs_of(model, inputs):
    with torch.no_grad():
        outputs = {name: value for name, value in model(**inputs).items() if isinstance(value, torch.Tensor)}
    if isinstance(model, transformers.AlbertModel):
        mask = inputs["attention_mask"][:, :, None].double()
        mean = (outputs["last_hidden_state"] * mask).sum(1) / mask.sum(1)
        outputs["sentence_embedding"] = torch.nn.functional.normalize(mean, dim=1)
    return outputs


def training_batch(config, seed):
    """Six sequences whose first place is attended, so that the pooler reads a token: four like those of the golden batch,
    of seven, four, five and six tokens, and the first two with other tokens."""
    batch = albert.make_batch(config, 200 + seed)
    ids, types, mask = batch["input_ids"], batch["token_type_ids"], batch["attention_mask"]
    ids[2], mask[2] = ids[2].roll(-2), mask[2].roll(-2)
    other = ids[:2].clone()
    other[other > albert.MASK] = 5 + (other[other > albert.MASK] + 31) % (config.vocab_size - 5)
    return dict(input_ids=torch.cat([ids, other]), attention_mask=torch.cat([mask, mask[:2]]),
                token_type_ids=torch.cat([types, types[:2]]))


class Embedder(torch.nn.Module):
    """What sentence-transformers' losses call: means of hidden states."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features):
        mask = features["attention_mask"][:, :, None].to(torch.float64)
        hidden = self.model(**features).last_hidden_state
        return dict(features, sentence_embedding=(hidden * mask).sum(1) / mask.sum(1))


def sentences(batch, group):
    """The sequences of a batch in groups as sentence-transformers takes them: all first ones, all second ones ..."""
    return [{name: value[i::group] for name, value in batch.items()} for i in range(group)]


def weighted_loss(model, batch, labels):
    logits = model(**batch).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, -2), labels["labels"].flatten(), labels["label_weights"])


def own_loss(model, batch, labels):
    """The loss that transformers computes itself."""
    return model(**batch, **labels).loss


def choices_loss(model, batch, labels):
    return model(**{name: value.unflatten(0, (-1, 2)) for name, value in batch.items()}, **labels).loss


def cosine_loss(model, batch, labels):
    return sentence_transformers.losses.CosineSimilarityLoss(Embedder(model))(sentences(batch, 2), labels["labels"])


def ranking_loss(group):
    def compute(model, batch, labels):
        return sentence_transformers.losses.MultipleNegativesRankingLoss(Embedder(model))(sentences(batch, group), None)
    return compute


CLASSES = torch.tensor([2, 0, -100, 1, 1, 0])
TAGS = torch.tensor([  # of places; hidden ones and some others have none
    [-100, 1, 2, 0, -100, 3, 0],
    [0, 4, 0, 0, -100, -100, -100],
    [0, 0, 1, 2, 2, -100, -100],
    [3, -100, 0, -100, 4, 4, 0],
    [0, 0, 0, 1, 2, 0, -100],
    [0, 1, 0, 3, -100, -100, -100],
])
WEIGHTS = torch.tensor([0.5, 2.0, 1.25, 3.0, 0.75], dtype=torch.float64)

# The losses of each head, with how they are computed and from which labels.
LOSSES = {
    "single_label": {
        "cross_entropy": (own_loss, dict(labels=CLASSES)),
        "weighted_cross_entropy": (weighted_loss, dict(labels=CLASSES, label_weights=WEIGHTS[:3])),
    },
    "multi_label": {"binary_cross_entropy": (own_loss, dict(labels=torch.tensor(
        [[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0.25, 1, 0], [1, 0, 0, 1]], dtype=torch.float64)))},
    "regression": {"squared_error": (own_loss, dict(labels=torch.tensor([0.5, -2, 3.25, 0, 1, -0.5], dtype=torch.float64)))},
    "tokens": {
        "cross_entropy": (own_loss, dict(labels=TAGS)),
        "weighted_cross_entropy": (weighted_loss, dict(labels=TAGS, label_weights=WEIGHTS)),
    },
    "answers": {"cross_entropy": (own_loss, dict(
        start_positions=torch.tensor([1, 0, 6, 2, 7, 3]), end_positions=torch.tensor([4, 0, 6, 3, 7, 5])))},
    "choices": {"cross_entropy": (choices_loss, dict(labels=torch.tensor([1, 0, -100])))},
    "features": {
        "cosine": (cosine_loss, dict(labels=torch.tensor([1.0, -0.5, 0.25], dtype=torch.float64))),
        "pairs": (ranking_loss(2), {}),
        "triples": (ranking_loss(3), {}),
    },
}


def load(directory, kind):
    return kind.from_pretrained(directory, attn_implementation="eager").to(torch.float64).eval()


def write_loss(path, model, config, seed, loss, labels):
    """The batch, the labels, the loss and its gradient by every tensor that has one."""
    batch = training_batch(config, seed)
    if isinstance(model, transformers.AlbertForQuestionAnswering):
        batch["attention_mask"].fill_(1)  # padding would take part in transformers' softmax over places
    value = loss(model, batch, labels)
    value.backward()
    tensors = {**batch, **labels, "loss": value.detach().reshape(1)}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            tensors["grad." + name] = parameter.grad
    save(path, tensors)


def save(path, tensors):
    metadata = dict(written_by="tools/golden/heads.py", transformers=transformers.__version__)
    safetensors.torch.save_file({name: value.contiguous() for name, value in tensors.items()}, path,
                                {"golden": json.dumps(metadata)})


def write(name, directory, kind, seed, differences):
    directory.mkdir(parents=True, exist_ok=True)
    config = transformers.AlbertConfig(**{**albert.SMALL, **differences})
    albert.make_model(config, seed, kind).save_pretrained(directory)
    model = load(directory, kind)
    inputs = inputs_of(kind, config, seed)
    golden = {**inputs, **outputs_of(model, inputs)}
    save(directory / "golden.safetensors", golden)
    for loss, (compute, labels) in LOSSES.get(name, {}).items():
        write_loss(directory / f"{loss}.safetensors", load(directory, kind), config, seed, compute, labels)
    print(f"{directory}: {', '.join(f'{name} {tuple(value.shape)}' for name, value in golden.items())}")


def main(directory, *names):
    albert.set_up()
    for name in names or HEADS:
        write(name, pathlib.Path(directory, name), *HEADS[name])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(HEADS):
        sys.exit(__doc__)
    main(*sys.argv[1:])
