"""What SentencePiece and transformers' slow AlbertTokenizer make of text: unigram.py DIRECTORY

Writes DIRECTORY/spiece.model, a small vocabulary trained with ALBERT's flags, and DIRECTORY/golden.json: the ids of
hard_texts.py and of the texts below by it, with ALBERT's rules in all their settings and without them, what these ids
are decoded to, and how pairs of texts are truncated.
"""

import itertools
import json
import os
import pathlib
import sys

import sentencepiece
import transformers

from hard_texts import TEXTS, TRAINING

# Besides those of hard_texts.py. Bytes are no UTF-8 somewhere; each wrong one is U+FFFD.
MORE = [
    "In 1990, he sold 2,000, 30, and 7, for $1,000,000, or 99, 5,",
    "٣, ²,, ①, x1, 1,x ½, ,1, 12,34,56, 1990,[SEP]1990,",
    "``quotes'' '' `` `x' '''three''' ````four```` ` ` ' '",
    "<PAD> <Unk> <un\u212a> [cls] [Mask] <pad><unk>[CLS][SEP][MASK] <pad <unk[MASK]>",
    "a \u00a0[MASK] b\u3000\u2003[MASK]\u0301 c \x1c[MASK]\x1f",
    "\U0001d6ba \U0001d6baA A\U0001d6ba A\U0001d6ba\u0301. A\U0001d6ba'b \U0001d6ba\U0001d6ba ΑΣ ΑΣΑ",
    "\u2126 \u212a \u212b \u210c \u2102 \u1d2c \uff21\uff22 \U0001d400\U0001d7d8 \u00aa\u00ba",
    "\u00b4 \u00a8 \u00b8 \u1fef\u1fef \u02dc\u02dd \u0132\u0133 \u01c4\u01c5\u01c6",
    "\uac00\uac01\ud7a3 \u3131\u314f \u1100\u1161 \u11a8",
    "\u0f77 \u0f71\u0f72 \u0cca \u09cb \u0bca \u0b94 \u1b06",
    "word" * 60 + " " + "a,b." * 40,
    "(parentheses) \"quotes\" - – £5 €6. ...---",
    "\u200e\u200fmarks\u202a\u202b\u202c \u2066x\u2069 \u00ad soft",
    "\x00\x01\x02\x08\x0e\x1b\x7f\x80\x85\x9f",
    "tab\tnew\u000bform\u000cfile\x1cgroup\x1drecord\x1eunit\x1fnext\x85nbsp\xa0ogham\u1680en\u2000line\u2028\u2029x\u202fy\u205fz\u3000",
    "  two  leading,   three   inside, trailing   ",
    b"bad \xff\xfe bytes \xe2\x82 and \x80",
    b"\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe9",
    b"\xf0\x9f\x98 \xe6\x97\xa51, [MASK\xff] caf\xc3",
]

MORE_TRAINING = ["in 1990, 2000, and 30, there were 7, or 99, of 12,000, and 5, in 1990, too", "σοφός σίγμα ς σ σσ ας"] * 6

RULES = [
    {},
    {"keep_accents": True},
    {"do_lower_case": False},
    {"remove_space": False},
    {"do_lower_case": False, "keep_accents": True},
    {"do_lower_case": False, "remove_space": False, "keep_accents": True},
]


def train():
    """Writes spiece.model here: the file names the paths of its training."""
    plain = [t for t in TEXTS + MORE if isinstance(t, str) and t.strip() and len(t) < 200 and "\0" not in t and "\n" not in t]
    text = pathlib.Path("text")
    text.write_text("\n".join(TRAINING + MORE_TRAINING + plain) + "\n", encoding="utf-8")
    # The flags of Google's README, which train ALBERT's own vocabulary.
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix="spiece", vocab_size=330, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"], user_defined_symbols=["(", ")", '"', "-", ".", "–", "£", "€"],
        character_coverage=0.985, model_type="unigram", split_by_number=False, minloglevel=2, num_threads=1)
    text.unlink()
    pathlib.Path("spiece.vocab").unlink()


def decoded(text):
    """Bytes as text, each that is no UTF-8 as U+FFFD."""
    if isinstance(text, str):
        return text
    escaped = text.decode("utf-8", errors="surrogateescape")
    return "".join("\ufffd" if "\udc80" <= c <= "\udcff" else c for c in escaped)


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)
    train()
    texts = TEXTS + MORE
    golden = {"texts": [{"hex": t.hex()} if isinstance(t, bytes) else {"text": t} for t in texts], "rules": []}
    raw = sentencepiece.SentencePieceProcessor(model_file="spiece.model")
    ids = [raw.encode(t) for t in texts]
    golden["raw"] = {"ids": ids, "decoded": [raw.decode(i) for i in ids]}
    for rules in RULES:
        slow = transformers.AlbertTokenizer("spiece.model", **rules)
        ids = [slow.encode(decoded(t), add_special_tokens=False) for t in texts]
        golden["rules"].append({
            "rules": rules, "ids": ids, "decoded": [slow.decode(i, clean_up_tokenization_spaces=False) for i in ids]})
    pair = slow.prepare_for_model([10, 11, 12], [13, 14, 15, 16], truncation="longest_first", max_length=8)
    golden["pair"] = {"ids": pair["input_ids"], "token_type_ids": pair["token_type_ids"]}
    golden["truncated"] = []
    for a, b, most in itertools.product((1, 2, 3, 7, 8), (1, 2, 5, 8), range(2, 17)):
        left, right, _ = slow.truncate_sequences(
            list(range(a)), list(range(b)), num_tokens_to_remove=a + b - most, truncation_strategy="longest_first")
        golden["truncated"].append([a, b, most, len(left), len(right)])
    commas = [p for p in map(raw.id_to_piece, range(len(raw))) if p[-1:] == "," and p[-2:-1].isdigit()]
    if len(commas) < 3:
        sys.exit(f"the vocabulary has only the pieces {commas} for the digit-comma rule")
    print(f"{directory}: {len(texts)} texts, {len(raw)} pieces, {len(commas)} of them end with a digit and a comma")
    text = json.dumps(golden, ensure_ascii=True, indent=None, separators=(",", ":"))
    pathlib.Path("golden.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
