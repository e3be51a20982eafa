"""Checkpoints of every head from transformers to Go and back:

    checkpoints.py shards DIRECTORY   DIRECTORY/shards: the checkpoint there as save_pretrained divides it
    checkpoints.py loading DIRECTORY  DIRECTORY/loading.json: for each checkpoint of DIRECTORY and each class, which keys are
                                      missing and unexpected when the one is loaded as the other
    checkpoints.py write DIRECTORY    DIRECTORY/theirs/NAME as save_pretrained writes it, NAME-shards, NAME-half and
                                      NAME-bfloat, and what torch widens the last two to
    checkpoints.py check DIRECTORY    DIRECTORY/ours/NAME and NAME-shards, each with Go's outputs in outputs.safetensors

Between the last two, Go reads the first and writes the second: CHECKPOINTS=DIRECTORY go test ./parity -run Exchange. The models are
those of parity/testdata/heads. Exits 1 if a key is missing, unexpected or misshapen, or an output differs by more than the
tolerance; see verify_checkpoint.py.
"""

import json
import pathlib
import sys

import torch

import heads
import verify_checkpoint

GOLDEN = pathlib.Path(__file__).parents[2] / "parity" / "testdata" / "heads"


def shards(directory):
    verify_checkpoint.load(directory)[0].save_pretrained(directory / "shards", max_shard_size="20KB")
    return 0


def loading(directory):
    found = {}
    for name in heads.HEADS:
        for kind in dict.fromkeys(kind for kind, _, _ in heads.HEADS.values()):
            _, report = kind.from_pretrained(directory / name, output_loading_info=True, ignore_mismatched_sizes=True)
            found.setdefault(name, {})[kind.__name__] = {
                key: sorted(report[key]) for key in ("missing_keys", "unexpected_keys")}
    (directory / "loading.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


def write(directory):
    for name, (kind, _, _) in heads.HEADS.items():
        model = kind.from_pretrained(GOLDEN / name)
        theirs = directory / "theirs"
        model.save_pretrained(theirs / name)
        model.save_pretrained(theirs / f"{name}-shards", max_shard_size="20KB")
        for suffix, dtype in (("half", torch.float16), ("bfloat", torch.bfloat16)):
            narrow = kind.from_pretrained(GOLDEN / name).to(dtype)
            narrow.save_pretrained(theirs / f"{name}-{suffix}")
            narrow.float().save_pretrained(theirs / f"{name}-{suffix}-widened")
    print(f"{theirs}: {len(list(theirs.iterdir()))} checkpoints")
    return 0


def check(directory):
    directories = sorted((directory / "ours").iterdir())
    want = {name + suffix for name in heads.HEADS for suffix in ("", "-shards")}
    if {d.name for d in directories} != want:
        sys.exit(f"{directory / 'ours'} has {[d.name for d in directories]}, want {sorted(want)}")
    wrong = [d.name for d in directories if verify_checkpoint.main(d, d / "outputs.safetensors") != 0]
    print(f"{len(directories)} checkpoints, {len(wrong)} wrong: {wrong}")
    return 1 if wrong else 0


VERBS = {"shards": shards, "loading": loading, "write": write, "check": check}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    sys.exit(VERBS[sys.argv[1]](pathlib.Path(sys.argv[2])))
