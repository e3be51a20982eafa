"""Writes what transformers computes for a tiny random ALBERT of every head: heads.py DIRECTORY [NAME ...]

For each NAME, DIRECTORY/NAME/ gets config.json and model.safetensors, as save_pretrained writes them, and golden.safetensors
with the inputs and the outputs, computed in float64 from fixed seeds: a second run writes the same bytes.
"""

import json
import pathlib
import sys

import safetensors.torch
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


def write(directory, kind, seed, differences):
    directory.mkdir(parents=True, exist_ok=True)
    config = transformers.AlbertConfig(**{**albert.SMALL, **differences})
    albert.make_model(config, seed, kind).save_pretrained(directory)
    model = kind.from_pretrained(directory, attn_implementation="eager").to(torch.float64).eval()
    inputs = inputs_of(kind, config, seed)
    golden = {**inputs, **outputs_of(model, inputs)}
    metadata = dict(written_by="tools/golden/heads.py", transformers=transformers.__version__)
    safetensors.torch.save_file({name: value.contiguous() for name, value in golden.items()},
                                directory / "golden.safetensors", {"golden": json.dumps(metadata)})
    print(f"{directory}: {', '.join(f'{name} {tuple(value.shape)}' for name, value in golden.items())}")


def main(directory, *names):
    albert.set_up()
    for name in names or HEADS:
        write(pathlib.Path(directory, name), *HEADS[name])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(HEADS):
        sys.exit(__doc__)
    main(*sys.argv[1:])
