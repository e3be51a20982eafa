"""One fine-tuning twice, in Go and in transformers with PyTorch: finetune.py [options] ALBERT DATA OUT -- START...

ALBERT is the program, DATA has SST-2's train.tsv and dev.tsv, and START are flags of albert finetune: what it starts
from (--model DIRECTORY, or --preset NAME --tokenizer DIRECTORY), the rate, the seed. Options are --steps 500,
--batch 32, --threads 2 and --rounds 3. OUT, a new directory, gets what both leave.

Both take the first examples in the order of the file, without dropout, in turns as often as --rounds says.
AlbertForSequenceClassification starts from the weights that Go saved before its first step, with the options that Go
saved beside them. It tokenizes with the slow AlbertTokenizer, and pads a batch to its longest sentence, as the Trainer
of transformers does; the optimizer is torch.optim.AdamW, fused as there. At the end it makes its first 100 steps once
more with every batch back to front, which is the same but for rounding: how far PyTorch is from itself then says
what of the differences is rounding that the training magnifies.

Time is that of the steps: no loading, no tokenizing. Processor time, which other work on the machine disturbs less, is
of the steps in PyTorch, of the whole command in Go. Memory is the process's largest resident set.

Exits 1 where a loss of the first 100 steps differs by more than 1e-3, a step has other tokens, fewer than 98.5 % of the
labels that the trained models give dev.tsv are the same, or Go is less than twice as fast.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

LOSS_STEPS, LOSS_TOLERANCE = 100, 1e-3
SAME_LABELS, SPEED = 0.985, 2.0


def read_examples(path, count=None):
    """The sentences and labels of a table of SST-2, the first ones if count says so."""
    header, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if header != "sentence\tlabel" or count and len(lines) < count:
        sys.exit(f"{path} has {len(lines)} examples under {header!r}; want {count or 1} under 'sentence\\tlabel'")
    rows = [line.split("\t") for line in lines[:count]]
    return [sentence for sentence, _ in rows], [int(label) for _, label in rows]


def train(start, data, out, threads, reverse):
    """Trains with PyTorch from Go's checkpoint start, and writes into out losses, tokens, seconds and dev labels.

    Reversed, every batch is back to front, and the first steps are all.
    """
    import torch  # here, so that the process that measures needs neither
    import transformers

    from optimizers import decayed

    torch.set_num_threads(threads)
    o = json.loads((start / "trainer/state.json").read_text())["finetuning"]
    tokenizer = transformers.AlbertTokenizer.from_pretrained(start)
    model = transformers.AlbertForSequenceClassification.from_pretrained(start)

    def encode(sentences):
        ids = tokenizer(sentences, truncation=True, max_length=model.config.max_position_embeddings)["input_ids"]
        return [torch.tensor(i) for i in ids]

    def padded(ids):
        mask = [torch.ones_like(i) for i in ids]
        pad = torch.nn.utils.rnn.pad_sequence
        return dict(input_ids=pad(ids, True, tokenizer.pad_token_id), attention_mask=pad(mask, True, 0))

    steps = min(LOSS_STEPS, o["steps"]) if reverse else o["steps"]
    sentences, labels = read_examples(data / "train.tsv", steps * o["batch"])
    ids, labels = encode(sentences), torch.tensor(labels)
    named = list(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            dict(params=[p for n, p in named if decayed(n)], weight_decay=o["weight-decay"]),
            dict(params=[p for n, p in named if not decayed(n)], weight_decay=0.0),
        ],
        lr=o["learning-rate"], betas=(o["beta1"], o["beta2"]), eps=o["epsilon"], fused=True)
    warmup = o["warmup-steps"] or int(o["warmup"] * o["steps"] + 0.5)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, warmup, o["steps"])
    model.train()
    result = dict(versions=f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
                  loaded=resident(), losses=[], tokens=[], seconds=[])
    processor = time.process_time()
    for first in range(0, len(ids), o["batch"]):
        begin = time.perf_counter()
        batch = range(first, first + o["batch"])[:: -1 if reverse else 1]
        rows = [ids[i] for i in batch]
        loss = model(**padded(rows), labels=labels[batch]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), o["max-grad-norm"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        result["losses"].append(loss.item())
        result["seconds"].append(time.perf_counter() - begin)
        result["tokens"].append(sum(map(len, rows)))
    result["memory"], result["processor"] = resident(), time.process_time() - processor
    model.eval()
    ids = encode(read_examples(data / "dev.tsv")[0])
    with torch.no_grad():
        logits = torch.cat([model(**padded(ids[i : i + 32])).logits for i in range(0, len(ids), 32)])
    result["dev"] = [model.config.id2label[i] for i in logits.argmax(-1).tolist()]
    out.write_text(json.dumps(result))


def resident():
    """The largest resident set of this process, in bytes (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(command, log):
    """Runs a command with its output into a file; returns its largest resident set in bytes and its processor time."""
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{log.read_text()}{' '.join(map(str, command))}: exit code {process.returncode}")
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def train_go(albert, steps, start, data, run):
    """The same as train, but by albert finetune; the run's directory keeps the weights of before the first step."""
    memory, processor = measured(
        [
            albert, "finetune", "--task", "classification", "--train", data / "train.tsv", "--out", run, *start,
            "--fixed-order", "--dropout", "0", "--classifier-dropout", "0",
            "--steps", str(steps), "--checkpoint-every", str(steps), "--keep-checkpoints", "2",
        ], run.with_suffix(".log"))  # fmt: skip
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    tokens = [line["tokens"] - before["tokens"] for before, line in zip(lines, lines[1:])]
    predicted = subprocess.run([albert, "predict", run / "model", "--data", data / "dev.tsv", "--json"],
                               stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(losses=[line["loss"] for line in lines[1:]], tokens=tokens, memory=memory, processor=processor,
                seconds=[n / line["tokens_per_second"] for n, line in zip(tokens, lines[1:])],
                dev=[json.loads(line)["label"] for line in predicted.splitlines()])


def train_torch(start, data, out, threads, reverse=False):
    command = [sys.executable, __file__, "--train", start, data, out, str(threads), *["reversed"] * reverse]
    measured(command, out.with_suffix(".log"))
    return json.loads(out.read_text())


def head(source, data, count):
    """Writes into data the examples of source that both train on, and dev.tsv."""
    for name, n in ("train.tsv", count), ("dev.tsv", None):
        sentences, labels = read_examples(source / name, n)
        rows = [f"{sentence}\t{label}\n" for sentence, label in zip(sentences, labels)]
        (data / name).write_text("".join(["sentence\tlabel\n", *rows]), encoding="utf-8")
    return labels


def compare(rounds, again, labels, threads):
    """Prints how near and how fast both were, and returns whether that is within the bounds."""
    go, theirs = rounds[0]
    wrong = []
    if go["tokens"] != theirs["tokens"]:
        wrong.append("the tokens of a step differ")
    off = [abs(a - b) for a, b in zip(go["losses"], theirs["losses"], strict=True)]
    early = off[:LOSS_STEPS]
    same = statistics.mean(a == b for a, b in zip(go["dev"], theirs["dev"], strict=True))
    ratios = [sum(b["seconds"]) / sum(a["seconds"]) for a, b in rounds]
    ratio = statistics.median(ratios)
    if not all(difference <= LOSS_TOLERANCE for difference in early):  # NaN is not
        wrong.append("the losses differ")
    if not same >= SAME_LABELS:
        wrong.append("the labels differ")
    if not ratio >= SPEED:
        wrong.append(f"less than {SPEED:.0f} times as fast")
    print(f"{theirs['versions']}, --threads {threads}; {len(off)} steps, {sum(go['tokens']):,} tokens")
    print(f"losses: {go['losses'][0]:.4f} to {statistics.mean(go['losses'][-20:]):.4f} (mean of the last 20)")
    print(f"largest difference: {max(early):.2g} in the first {len(early)} steps, {max(off):.2g} in all")
    own = max(abs(a - b) for a, b in zip(theirs["losses"], again["losses"]))
    print(f"PyTorch from itself, batches back to front: {own:.2g} in the first {len(again['losses'])} steps")
    print(f"dev labels: {same:.2%} of {len(labels)} are the same")
    for name, results in ("albert", [a for a, _ in rounds]), ("PyTorch", [b for _, b in rounds]):
        right = statistics.mean(int(a) == b for a, b in zip(results[0]["dev"], labels, strict=True))
        seconds = ", ".join(f"{sum(r['seconds']):.1f}" for r in results)
        memory = max(r["memory"] for r in results) / 1e6
        processor = ", ".join(f"{r['processor']:.1f}" for r in results)
        print(f"{name}: {seconds} s ({processor} s of processors), at most {memory:.0f} MB, dev accuracy {right:.2%}")
    print(f"PyTorch before its first step: {theirs['loaded'] / 1e6:.0f} MB")
    print(f"time ratio: {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    for what in wrong:
        print(f"out of bounds: {what}")
    return not wrong


def main(arguments):
    if arguments[:1] == ["--train"]:
        return train(*map(pathlib.Path, arguments[1:4]), threads=int(arguments[4]), reverse=len(arguments) > 5)
    if "--" not in arguments:
        sys.exit(__doc__)
    end = arguments.index("--")
    parser = argparse.ArgumentParser(usage=__doc__)
    for name, kind in ("albert", str), ("data", pathlib.Path), ("out", pathlib.Path):
        parser.add_argument(name, type=kind)
    for name, default in ("steps", 500), ("batch", 32), ("rounds", 3), ("threads", 2):
        parser.add_argument(f"--{name}", type=int, default=default)
    a, start = parser.parse_args(arguments[:end]), arguments[end + 1 :]
    a.out.mkdir()
    labels = head(a.data, a.out, a.steps * a.batch)
    rounds = []
    for n in range(1, a.rounds + 1):
        run = a.out / f"albert-{n}"
        go = train_go(a.albert, a.steps, ["--batch", str(a.batch), "--threads", str(a.threads), *start], a.out, run)
        theirs = train_torch(run / "checkpoints/step-00000000", a.out, a.out / f"torch-{n}.json", a.threads)
        rounds.append((go, theirs))
        print(f"round {n}: albert {sum(go['seconds']):.1f} s, PyTorch {sum(theirs['seconds']):.1f} s", flush=True)
    again = train_torch(a.out / "albert-1/checkpoints/step-00000000", a.out, a.out / "reversed.json", a.threads, True)
    return 0 if compare(rounds, again, labels, a.threads) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
