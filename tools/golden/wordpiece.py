"""What transformers' slow BertTokenizer and the library tokenizers make of text.

wordpiece.py write DIRECTORY
    writes the golden files of tokenizer/testdata: small vocabularies, and the ids of hard_texts.py by them.
wordpiece.py check MODEL TEXT IDS
    MODEL is a directory with a vocab.txt (BertTokenizer) or a tokenizer.json (tokenizers), TEXT one text a line, and
    IDS, a line for each, the ids that Go gave it, separated by spaces. Exits 1 where a line differs.
"""

import base64
import collections
import json
import math
import pathlib
import re
import sys
import tempfile
import unicodedata

import sentencepiece
import tokenizers
import transformers

from hard_texts import TEXTS, TRAINING

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def lines(path):
    # Only \n ends a line: str.splitlines knows other ends that Go does not.
    return pathlib.Path(path).read_bytes().decode("utf-8").removesuffix("\n").split("\n")


def check(model, text_file, ids_file):
    texts, answers = lines(text_file), lines(ids_file)
    if len(texts) != len(answers):
        sys.exit(f"{text_file} has {len(texts)} lines, {ids_file} {len(answers)}")
    if model.endswith(".json"):
        tokenizer = tokenizers.Tokenizer.from_file(model)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    else:
        tokenizer = transformers.BertTokenizer.from_pretrained(model)
        encode = lambda text: tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
    wrong = 0
    for number, (text, answer) in enumerate(zip(texts, answers), 1):
        want, ids = encode(text), [int(id) for id in answer.split()]
        if ids != want:
            wrong += 1
            if wrong <= 10:
                print(f"line {number}: got {ids}, want {want}: {text!r}")
    print(f"{len(texts) - wrong} of {len(texts)} lines agree")
    return 1 if wrong else 0


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


def write_bert(directory):
    """wordpiece/vocab.txt, and wordpiece/golden.json: for each choice of rules the ids and their decoding."""
    characters = set()
    for text in TEXTS:
        lower = text.lower()
        for form in (text, lower, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", lower)):
            characters.update(c for c in form if unicodedata.category(c)[0] not in "CZ" and c not in "🇫🇷豈")
    pieces = ["the", "quick", "fox", "##es", "run", "##ning", "##ing", "jump", "un", "##aff", "##able", "##want", "##ed"]
    pieces += ["caf"]
    vocabulary = SPECIAL + sorted(characters) + ["##" + c for c in sorted(characters)] + pieces
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.txt").write_bytes("".join(p + "\n" for p in vocabulary).encode("utf-8"))
    golden = []
    for rules in (
        {},
        {"do_lower_case": False},
        {"do_lower_case": False, "strip_accents": True},
        {"strip_accents": False},
        {"tokenize_chinese_chars": False},
    ):
        tokenizer = transformers.BertTokenizer(str(directory / "vocab.txt"), **rules)
        ids = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) for text in TEXTS]
        decoded = [tokenizer.decode(i, clean_up_tokenization_spaces=False) for i in ids]
        golden.append({"rules": rules, "texts": TEXTS, "ids": ids, "decoded": decoded})
    write_json(directory / "golden.json", golden)


def small_charsmap():
    """A charsmap with a few rules, as SentencePiece writes one."""
    rules = {
        "ﬁ": "fi", "™": "TM", "e\u0301": "é", "\u0301": "'", "…": "...", "\u200b": " ", "\u00ad": "", "\u0001": "",
        "A": "a", "👍": "+1", "\r": " ", "\t": " ", "ｆ": "f", "½": "1/2", "각": "g", "ab": "X", "\ufeff": "",
    }
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        code = lambda s: " ".join(f"{ord(c):X}" for c in s)
        (root / "rules.tsv").write_text("".join(f"{code(a)}\t{code(b)}\n" for a, b in rules.items()), encoding="utf-8")
        (root / "text").write_text("\n".join(TRAINING), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(root / "text"), model_prefix=str(root / "m"), vocab_size=60, hard_vocab_limit=False, minloglevel=2,
            normalization_rule_tsv=str(root / "rules.tsv"))
        from sentencepiece import sentencepiece_model_pb2
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString((root / "m.model").read_bytes())
        return base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()


def pieces():
    """The parts of the words of TRAINING that are not rare, with their counts, in order: trainers change theirs."""
    counts = collections.Counter()
    for line in TRAINING:
        for word in re.findall(r"\w+|[,;]", line):
            for start in range(len(word)):
                for end in range(start + 1, len(word) + 1):
                    counts["" if start else "^", word[start:end]] += 1
    return sorted((key, n) for key, n in counts.items() if n >= 24 or len(key[1]) == 1)


def special_tokens(names):
    return [{
        "id": id, "content": name, "single_word": False, "lstrip": name == "[MASK]" and "<pad>" in names,
        "rstrip": False, "normalized": False, "special": True,
    } for id, name in enumerate(names)]


def tokenizer_json(**parts):
    return {"version": "1.0", "truncation": None, "padding": None, **parts}


def unigram(normalizer, pre_tokenizer, **more):
    """A Unigram tokenizer.json with pieces of TRAINING."""
    total = sum(n for _, n in pieces())
    names = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    vocab = [[name, 0.0] for name in names] + [["▁", -3.0]]
    vocab += [[("▁" if first else "") + text, round(math.log(n / total), 6)] for (first, text), n in pieces()]
    special = lambda name, type_id: {"SpecialToken": {"id": name, "type_id": type_id}}
    single = [special("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]", 0)]
    j = tokenizer_json(
        added_tokens=special_tokens(names), normalizer=normalizer, pre_tokenizer=pre_tokenizer,
        post_processor={
            "type": "TemplateProcessing", "single": single,
            "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}, special("[SEP]", 1)],
            "special_tokens": {n: {"id": n, "ids": [i], "tokens": [n]} for i, n in ((2, "[CLS]"), (3, "[SEP]"))},
        },
        decoder=metaspace("always"), model={"type": "Unigram", "unk_id": 1, "vocab": vocab, "byte_fallback": False})
    return {**j, **more}


def word_piece(normalizer, pre_tokenizer, **more):
    """A WordPiece tokenizer.json with pieces of TRAINING."""
    vocab = SPECIAL + [("" if first else "##") + text for (first, text), _ in pieces()]
    vocab += ["天", "我", "é", "e\u0301", "T", "don"]
    j = tokenizer_json(
        added_tokens=special_tokens(SPECIAL), normalizer=normalizer, pre_tokenizer=pre_tokenizer,
        post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        model={
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {piece: id for id, piece in enumerate(dict.fromkeys(vocab))},
        })
    return {**j, **more}


def added(base, *tokens):
    """The added tokens of a tokenizer.json and more of them, after its vocabulary."""
    size = len(base["model"]["vocab"])
    return base["added_tokens"] + [{
        "id": size + i, "content": content, "single_word": "w" in flags, "lstrip": "l" in flags, "rstrip": "r" in flags,
        "normalized": "n" in flags, "special": "s" in flags,
    } for i, (content, flags) in enumerate(tokens)]


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def metaspace(scheme, split=True):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}


def sequence(*parts, key="normalizers"):
    return {"type": "Sequence", key: list(parts)}


def bert_normalizer(clean=True, chinese=True, strip=None, lower=True):
    return {
        "type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": strip,
        "lowercase": lower,
    }


def pipelines():
    """Tokenizers, each in one file; together they have every part that Go supports."""
    plain = [{"type": t} for t in ("NFKD", "StripAccents", "Lowercase")]
    always = metaspace("always")
    byte_pieces = [[f"<0x{b:02X}>", -9.0] for b in range(256)]
    albert = unigram(sequence(replace("``", '"'), replace("''", '"'), *plain, replace(" {2,}", " ", "Regex")), always)
    precompiled = {"type": "Precompiled", "precompiled_charsmap": small_charsmap()}
    bytes_model = lambda j: {**j["model"], "byte_fallback": True, "vocab": j["model"]["vocab"] + byte_pieces}
    yield "unigram", albert
    yield "unigram-precompiled", unigram(sequence({"type": "Nmt"}, precompiled), metaspace("first"),
                                         model=bytes_model(albert), added_tokens=albert["added_tokens"])
    yield "unigram-forms", unigram(
        sequence({"type": "NFC"}, {"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True}),
        sequence({"type": "WhitespaceSplit"}, metaspace("first", False), key="pretokenizers"),
        model=bytes_model(albert), post_processor=None, decoder=metaspace("never"))
    yield "unigram-added", unigram({"type": "Lowercase"}, always, added_tokens=added(
        albert, ("Yesterday", "nw"), ("over", ""), ("the lazy", "n"), ("#", "lr"), ("天", "lrs"), ("dogs", "w"),
        ("dog", "")))
    bert = word_piece(bert_normalizer(), {"type": "BertPreTokenizer"})
    yield "wordpiece", bert
    yield "wordpiece-cased", word_piece(bert_normalizer(strip=True, lower=False), {"type": "Whitespace"}, decoder=None)
    yield "wordpiece-plain", word_piece(
        bert_normalizer(False, False, False),
        sequence({"type": "WhitespaceSplit"}, {"type": "BertPreTokenizer"}, key="pretokenizers"),
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": False},
        added_tokens=added(bert, ("ing", "nw"), ("##", "s")))
    yield "wordpiece-none", word_piece({"type": "NFD"}, None, padding={
        "strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "[PAD]"})


# The library's offsets of a composed character are those of its first part alone; Go's are those of all parts.
COMPOSING = ("unigram-forms", "unigram-precompiled")


def write_pipelines(directory):
    """json/NAME.json, and json/golden.json: ids, offsets in bytes and decoding."""
    directory.mkdir(parents=True, exist_ok=True)
    golden = {}
    for name, pipeline in pipelines():
        write_json(directory / f"{name}.json", pipeline)
        t = tokenizers.Tokenizer.from_file(str(directory / f"{name}.json"))
        t.no_padding()
        cases = []
        for text in TEXTS:
            e = t.encode(text, add_special_tokens=False)
            at = [len(text[:i].encode("utf-8")) for i in range(len(text) + 1)]
            case = {"text": text, "ids": e.ids, "decoded": t.decode(e.ids, skip_special_tokens=False)}
            if name not in COMPOSING:
                case["offsets"] = [[at[a], at[b]] for a, b in e.offsets]
            cases.append(case)
        golden[name] = cases
    write_json(directory / "golden.json", golden)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", directory]:
            write_bert(pathlib.Path(directory) / "wordpiece")
            write_pipelines(pathlib.Path(directory) / "json")
        case ["check", *arguments] if len(arguments) == 3:
            sys.exit(check(*arguments))
        case _:
            sys.exit(__doc__)
