"""Tokenizes with transformers' slow AlbertTokenizer: tokenizer.py [--raw] DIRECTORY TEXT IDS

DIRECTORY holds a spiece.model that Go wrote, TEXT one text a line, and IDS, a line for each, the ids that Go gave it,
separated by spaces. With --raw the ids are those of spm_encode, without ALBERT's rules. Special tokens around a text
count only if IDS begins with [CLS]. Exits 1 where a line differs.
"""

import pathlib
import sys

import sentencepiece
import transformers

SPECIAL = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")  # ids 0 to 4


def encoder(directory, raw):
    """The function from a text to its ids, given whether special tokens go around them."""
    if raw:
        processor = sentencepiece.SentencePieceProcessor(model_file=str(pathlib.Path(directory) / "spiece.model"))
        return lambda text, special: processor.encode(text)
    tokenizer = transformers.AlbertTokenizer.from_pretrained(directory)
    found = tuple(tokenizer.convert_tokens_to_ids(list(SPECIAL)))
    if found != (0, 1, 2, 3, 4):
        sys.exit(f"{directory}: {', '.join(SPECIAL)} have ids {found}, want 0 to 4")
    print(f"{directory}: AlbertTokenizer with {len(tokenizer)} pieces")
    return lambda text, special: tokenizer.encode(text, add_special_tokens=special)


def main(directory, text_file, ids_file, raw=False):
    encode = encoder(directory, raw)
    # Only \n ends a line: str.splitlines knows other ends that Go does not.
    texts = pathlib.Path(text_file).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    lines = pathlib.Path(ids_file).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if len(texts) != len(lines):
        sys.exit(f"{text_file} has {len(texts)} lines, {ids_file} {len(lines)}")
    wrong = 0
    for number, (text, line) in enumerate(zip(texts, lines), 1):
        ids = [int(id) for id in line.split()]
        want = encode(text, ids[:1] == [2])
        if ids != want:
            wrong += 1
            if wrong <= 10:
                print(f"line {number}: got {ids}, want {want}: {text!r}")
    print(f"{len(texts) - wrong} of {len(texts)} lines agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--raw"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    sys.exit(main(*arguments, raw="--raw" in sys.argv))
