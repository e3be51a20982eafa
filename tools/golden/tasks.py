"""Writes what others make of tasks: tasks.py DIRECTORY VOCABULARY

DIRECTORY gets metrics.json, random labels, predictions and embeddings with the scores that scikit-learn, SciPy, seqeval,
transformers (SQuAD v2.0) and torchmetrics (SQuAD v1.1) give them; and features.json, texts of our own with the features that
transformers makes of them for question answering, RACE and token classification with VOCABULARY, a vocab.txt, and the
answers that it finds by random logits. All from fixed seeds.
"""

import json
import pathlib
import random
import sys
import tempfile

import numpy
import scipy.stats
import seqeval.metrics
import sklearn.metrics
import torch
import torchmetrics.functional.text
import transformers
from transformers.data.metrics import squad_metrics
from transformers.data.processors import squad as squad_processor


def classification(generator, labels, used, n):
    """labels classes, of which only the first used are right ones: a class may be predicted and never be right."""
    want = generator.integers(0, used, n)
    got = numpy.where(generator.random(n) < 0.6, want, generator.integers(0, labels, n))
    scores = {
        "accuracy": sklearn.metrics.accuracy_score(want, got),
        "matthews_correlation": sklearn.metrics.matthews_corrcoef(want, got),
    }
    if labels == 2:
        scores["f1"] = sklearn.metrics.f1_score(want, got, zero_division=0)
    else:
        for average in ("macro", "micro"):
            scores["f1_" + average] = sklearn.metrics.f1_score(want, got, average=average, zero_division=0)
    return dict(labels=labels, want=want.tolist(), got=got.tolist(), scores=scores)


def multi_label(generator, labels, n):
    want, got = generator.random((n, labels)) < 0.3, generator.random((n, labels)) < 0.4
    want[:, 1] = got[:, 1] = False  # neither right nor predicted
    return dict(labels=labels, want=want.astype(int).tolist(), got=got.astype(int).tolist(), scores=dict(
        f1_micro=sklearn.metrics.f1_score(want, got, average="micro", zero_division=0),
        f1_macro=sklearn.metrics.f1_score(want, got, average="macro", zero_division=0),
        accuracy=sklearn.metrics.accuracy_score(want, got)))


def correlation(want, got):
    return dict(want=list(want), got=list(got), scores=dict(
        pearson=scipy.stats.pearsonr(want, got)[0], spearmanr=scipy.stats.spearmanr(want, got)[0]))


def entities(generator, places, n):
    """Random tags, most of which no scheme allows, and predictions that are half the same."""
    tags = ["O"] + [place + "-" + kind for place in places for kind in ("PER", "LOC", "A-B")]
    want = [[generator.choice(tags) for _ in range(generator.randrange(1, 12))] for _ in range(n)]
    got = [[tag if generator.random() < 0.5 else generator.choice(tags) for tag in sentence] for sentence in want]
    # seqeval's rules know B I E S; the others are names of these
    known = str.maketrans({"M": "I", "L": "E", "U": "S", "W": "S"})
    as_known = lambda sentences: [[tag[:1].translate(known) + tag[1:] for tag in s] for s in sentences]
    a, b = as_known(want), as_known(got)
    return dict(want=want, got=got, scores=dict(
        f1=seqeval.metrics.f1_score(a, b, zero_division=0),
        precision=seqeval.metrics.precision_score(a, b, zero_division=0),
        recall=seqeval.metrics.recall_score(a, b, zero_division=0),
        accuracy=seqeval.metrics.accuracy_score(want, got)))


WORDS = """the a an The of river stone, "stone" Ångström ÉTÉ ΟΔΟΣ İzmir U.S. co-op it's 3,000 $5 the-end an_other — 中国 …
    the\u00a0gate a. (an) anthem thea state-of-the-art ½ ½the ²nd οδος i\u0307zmir river\u001fstone""".split(" ")
WORDS = [word for line in WORDS for word in line.split("\n") if word]


def answer(generator):
    return generator.choice(["", " ", "\u2003"]).join(generator.choice(WORDS) + " " for _ in range(generator.randrange(1, 5))).strip()


def answers(generator, n, bare):
    """Questions with several right answers, with bare some of which are nothing but articles and punctuation, and
    predictions."""
    questions = []
    for i in range(n):
        right = [answer(generator) for _ in range(generator.randrange(1, 4))]
        if bare and generator.random() < 0.1:
            right = ["The", "."][:generator.randrange(1, 3)]
        predicted = generator.choice(right) if generator.random() < 0.4 else answer(generator)
        if generator.random() < 0.3:
            predicted = predicted.upper() + "."
        if not bare and not all(squad_metrics.normalize_answer(text) for text in [predicted, *right]):
            continue
        questions.append(dict(id=f"q{i}", answers=right, predicted=predicted))
    return questions


def squad1(generator):
    """Without bare answers: two that are bare have an F1 of 0 in the official script, and of 1 in torchmetrics."""
    questions = answers(generator, 300, False)
    got = torchmetrics.functional.text.squad(
        [dict(id=q["id"], prediction_text=q["predicted"]) for q in questions],
        [dict(id=q["id"], answers=dict(text=q["answers"], answer_start=[0] * len(q["answers"]))) for q in questions])
    return dict(questions=questions, scores={name: float(value) for name, value in got.items()})


def squad2(generator):
    """A third without an answer. What is predicted is the span, or nothing where the odds of no answer are above 0.25."""
    questions = answers(generator, 300, True)
    examples = []
    for q in questions:
        q["odds"] = round(generator.gauss(0, 1), 3)
        if generator.random() < 0.33:
            q["answers"] = []
            q["odds"] += 0.5
        if generator.random() < 0.2:
            q["predicted"] = ""
        examples.append(squad_processor.SquadExample(
            q["id"], "", "", None, None, "", is_impossible=not q["answers"],
            answers=[dict(text=text, answer_start=0) for text in q["answers"]]))
    odds = {q["id"]: q["odds"] for q in questions}
    spans = {q["id"]: q["predicted"] for q in questions}
    given = {q["id"]: "" if q["odds"] > 0.25 else q["predicted"] for q in questions}
    best = squad_metrics.squad_evaluate(examples, spans, odds, 1e9)
    scores = squad_metrics.squad_evaluate(examples, given)
    return dict(questions=questions, threshold=0.25, scores={
        "exact": scores["exact"], "f1": scores["f1"],
        **{name: scores[name] for name in ("HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1")},
        **{name: best[name] for name in ("best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh")}})


def retrieval(numbers, n, width, negatives, repeated):
    """Random unit embeddings of n sentences, each with its own candidate near it, of which the first repeated are one and
    the same. The mean reciprocal place is scikit-learn's label ranking average precision, which counts ties against the
    right one, and its coverage error is the place."""
    unit = lambda x: x / numpy.linalg.norm(x, axis=1, keepdims=True)
    anchors = numbers.normal(size=(n, width))
    positives = anchors + 1.2 * numbers.normal(size=(n, width))
    positives[:repeated] = positives[0]
    sides = [unit(x).astype(numpy.float32) for x in [anchors, positives, *numbers.normal(size=(negatives, n, width))]]
    candidates = numpy.concatenate(sides[1:])
    cosines = sides[0].astype(float) @ candidates.astype(float).T
    cosines[:, :repeated] = cosines[:, :1]  # whatever the product rounded
    own = numpy.eye(n, len(candidates), dtype=int)
    places = [sklearn.metrics.coverage_error(own[i:i + 1], cosines[i:i + 1]) for i in range(n)]
    return dict(embeddings=[[side[i].tolist() for side in sides] for i in range(n)], scores=dict(
        retrieval_accuracy=numpy.mean([place == 1 for place in places]),
        mean_reciprocal_rank=sklearn.metrics.label_ranking_average_precision_score(own, cosines)))


def metrics():
    numbers, choices = numpy.random.default_rng(6), random.Random(6)
    x = numbers.normal(size=200)
    return dict(
        classification=[classification(numbers, 2, 2, 200), classification(numbers, 4, 3, 200),
                        classification(numbers, 5, 5, 37), classification(numbers, 2, 1, 20)],
        multi_label=[multi_label(numbers, 5, 100)],
        correlation=[correlation(x, x + numbers.normal(size=200)),
                     correlation(numbers.integers(0, 6, 150).astype(float), numbers.integers(0, 4, 150).astype(float)),
                     correlation((x * 5).round() / 5, numbers.normal(size=200))],
        retrieval=[retrieval(numbers, 70, 6, 0, 1), retrieval(numbers, 20, 5, 1, 1), retrieval(numbers, 20, 5, 0, 7)],
        entities=[entities(choices, places, 120) for places in ("BI", "I", "BIES", "BMES", "BILU", "BIEW")],
        squad1=squad1(choices), squad2=squad2(choices))


PASSAGE = """The lighthouse of Varn was built in 1872 on a rock that the fishermen call the Old Tooth. It is thirty-one metres
high, and its lamp (a gift of the harbour's widows) could be seen from twenty miles away. In 1903 a storm, the worst that
anyone remembered, broke the lower door; the keeper, Ada Lindqvist, carried the oil upstairs in kettles for eleven nights.
"Light first, supper later," she wrote in the log. Today the tower is a museum. A café at its foot sells waffles, and 中国
visitors leave small red lanterns on the stairs. Nobody has counted the steps twice and got the same number."""
QUESTIONS = [
    ("When was the lighthouse built?", "1872"), ("What do the fishermen call the rock?", "the Old Tooth"),
    ("Whose gift was the lamp?", "the harbour's widows"), ("Who carried the oil?", "Ada Lindqvist"),
    ("For how many nights, when the worst storm that anyone on the coast remembered had broken the lower door, did she do it?",
     "eleven nights"),
    ("What did she write?", "Light first, supper later,"), ("What is at its foot?", "A café"),
    ("Which visitors leave lanterns?", "中国"), ("Who built it?", None),
]
SENTENCES = [
    ("Ada Lindqvist kept the lighthouse of Varn .".split(), "B-PER I-PER O O O O B-LOC O".split()),
    (["In", "1903", "中", "国", "\u200b", "unbelievable-looking", "waffles", "xylophonists"],
     ["O", "O", "B-LOC", "I-LOC", "O", "O", "O", "O"]),
    (["Varn"] * 40, ["B-LOC"] * 40),
]
TAGS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]


def windows(tokenizer):
    cases = []
    squad_processor.squad_convert_example_to_features_init(tokenizer)
    context = " ".join(PASSAGE.split("\n"))
    for max_length, stride, max_query in ((384, 128, 64), (440, 200, 64), (64, 30, 20), (40, 19, 12), (48, 13, 64)):
        for i, (question, text) in enumerate(QUESTIONS):
            if max_query == 64 and max_length == 48 and i == 4:
                continue  # the question leaves no room
            example = squad_processor.SquadExample(
                str(i), question, context, text, context.index(text) if text else None, "", is_impossible=text is None)
            features = squad_processor.squad_convert_example_to_features(
                example, max_length, stride, max_query, "do_not_pad", True)
            cases.append(dict(
                question=question, answer=text, start=context.index(text) if text else -1,
                max_length=max_length, stride=stride, max_query=max_query,
                windows=[dict(input_ids=f.input_ids, token_type_ids=f.token_type_ids, start=f.start_position, end=f.end_position,
                              max_context=[place for place, best in sorted(f.token_is_max_context.items()) if best])
                         for f in features]))
    return dict(context=context, cases=cases)


def decoded(tokenizer):
    """Random logits of windows, whole 64ths so that float32 has them, and what transformers' decoding of SQuAD makes of
    them."""
    generator = random.Random(7)
    context = " ".join(PASSAGE.split("\n")).replace("中国 ", "").replace(";", ",").replace("1872", "spring")
    assert tokenizer.unk_token not in tokenizer.tokenize(context)
    squad_processor.squad_convert_example_to_features_init(tokenizer)
    examples, features, results, logits = [], [], [], []
    for i, (question, _) in enumerate(QUESTIONS[:4]):
        example = squad_processor.SquadExample(str(i), question, context, None, None, "")
        logits.append([])
        for feature in squad_processor.squad_convert_example_to_features(example, 64, 30, 20, "do_not_pad", False):
            feature.example_index, feature.unique_id = i, len(features)
            starts, ends = ([generator.randrange(-320, 320) / 64 for _ in feature.input_ids] for _ in range(2))
            # from within a word, as of unknown tokens, transformers cannot find a span's text again, and gives whole words
            starts = [x - 20 * token.startswith("##") for x, token in zip(starts, feature.tokens)]
            if i % 3 == 0:  # where no answer is probable, and where it is the least of all
                starts[0], ends[0] = 5.0, 3.5
            if i % 3 == 1:
                starts[0] = ends[0] = -9.0
            features.append(feature)
            results.append(squad_processor.SquadResult(feature.unique_id, starts, ends))
            logits[-1].append([[int(64 * x) for x in end] for end in (starts, ends)])
        examples.append(example)
    cases = []
    with tempfile.TemporaryDirectory() as directory:
        files = [str(pathlib.Path(directory, name)) for name in ("answers", "n_best", "odds")]
        for none, n_best, longest, threshold in ((False, 20, 30, 0), (True, 20, 30, 0), (True, 5, 7, 2.5), (True, 3, 12, -5)):
            answers = squad_metrics.compute_predictions_logits(
                examples, features, results, n_best, longest, True, *files, False, none, threshold, tokenizer)
            best = json.loads(pathlib.Path(files[1]).read_text())
            odds = json.loads(pathlib.Path(files[2]).read_text()) if none else {}
            cases.append(dict(
                no_answer=none, n_best=n_best, longest=longest, threshold=threshold,
                answers=[dict(answer=answers[e.qas_id], odds=odds.get(e.qas_id, 0), n_best=[
                    dict(text=c["text"], logit=c["start_logit"] + c["end_logit"], probability=c["probability"])
                    for c in best[e.qas_id]]) for e in examples]))
    return dict(context=context, questions=[e.question_text for e in examples], logits=logits, cases=cases)


CHOICES = [
    ("The keeper carried the oil _ .", ["upstairs in kettles", "by boat", "in lanterns, over the rock", "nowhere"]),
    ("Who wrote in the log?", ["Ada Lindqvist", "a widow", "fishermen", "visitors from 中国"]),
    ("_ is what the fishermen call the rock, and _ is its name.", ["The Old Tooth", "Varn", "Lamp", "Stairs"]),
    ("What, when the worst storm that anyone on the coast remembered had broken the lower door, came first?",
     ["light", "supper", "the harbour's widows, who gave the lamp that could be seen from twenty miles away", "the museum"]),
]


def choices(tokenizer):
    """Of RACE's questions each choice fills the gaps or stands behind; of the two its last tokens stay, and then the passage
    is shortened."""
    cases = []
    article = " ".join(PASSAGE.split("\n"))
    for max_length, most in ((512, 128), (64, 12), (40, 32)):
        for question, options in CHOICES:
            sequences = []
            for option in options:
                filled = question.replace("_", option) if "_" in question else question + " " + option
                kept = tokenizer.encode(filled, add_special_tokens=False)[-most:]
                encoded = tokenizer.prepare_for_model(
                    tokenizer.encode(article, add_special_tokens=False), kept, truncation="only_first", max_length=max_length)
                sequences.append(dict(input_ids=encoded["input_ids"], token_type_ids=encoded["token_type_ids"]))
            cases.append(dict(question=question, options=options, max_length=max_length, most=most, sequences=sequences))
    return dict(article=article, cases=cases)


def tags(tokenizer):
    cases = []
    for words, labels in SENTENCES:
        encoded = tokenizer(words, is_split_into_words=True, truncation=True, max_length=32)
        last, aligned = None, []
        for word in encoded.word_ids():
            aligned.append(-100 if word is None or word == last else TAGS.index(labels[word]))
            last = word
        cases.append(dict(words=words, tags=labels, input_ids=encoded["input_ids"], labels=aligned))
    return dict(max_length=32, labels=TAGS, cases=cases)


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    torch.set_default_dtype(torch.float64)  # torchmetrics' sums
    directory, vocabulary = pathlib.Path(sys.argv[1]), sys.argv[2]
    directory.mkdir(parents=True, exist_ok=True)
    write(directory / "metrics.json", metrics())
    write(directory / "features.json", dict(
        answers=windows(transformers.BertTokenizer(vocabulary)), decoded=decoded(transformers.BertTokenizer(vocabulary)),
        choices=choices(transformers.BertTokenizer(vocabulary)), tokens=tags(transformers.BertTokenizerFast(vocabulary))))


if __name__ == "__main__":
    main()
