package tasks

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// Longer sequences are shortened, the longer sentence first, and counted, or refused.
func TestTruncation(t *testing.T) {
	const tsv = "sentence1\tsentence2\tlabel\ngood good good good good\tbad bad\tx\ngood\tbad\ty\n"
	for _, name := range []string{"classification", "similarity"} {
		for _, refuse := range []bool{false, true} {
			task := newTask(t, name, Options{MaxLength: 8, NoTruncate: refuse, Label: []string{"label"}})
			text := tsv
			if name == "similarity" { // a sentence alone has room for six
				text = "sentence1\tsentence2\tlabel\ngood good good good good good good\tbad bad\t1\ngood\tbad\t0\n"
			}
			set, err := load(t, task, true, false, "a.tsv", text)
			if err != nil {
				t.Fatal(err)
			}
			if err := task.Learn(set.Examples); err != nil {
				t.Fatal(err)
			}
			err = set.Encode(task, wordPieces(t))
			if refuse && (err == nil || !strings.Contains(err.Error(), "tokens, want at most 8; allow truncation")) {
				t.Errorf("%s: %v", name, err)
			}
			if !refuse && (err != nil || set.Truncated != 1 || len(set.Features[0].Sequences[0].InputIDs) != 8) {
				t.Errorf("%s: %d shortened, error %v", name, set.Truncated, err)
			}
		}
	}
}

// Damaged weights give outputs that are no numbers.
func TestOutputsThatAreNotFinite(t *testing.T) {
	task := newTask(t, "regression", Options{})
	e, err := task.Example("good")
	if err != nil {
		t.Fatal(err)
	}
	set := &Set{Examples: []*Example{e}}
	if err := set.Encode(task, wordPieces(t)); err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		_, err := set.Predict(task, [][]float32{{float32(v)}})
		if err == nil || !strings.Contains(err.Error(), "the outputs are not finite; the weights are damaged") {
			t.Error(err)
		}
	}
	if _, err := set.Predict(task, [][]float32{{1, 2}}); err == nil {
		t.Error("two values of a regression")
	}
	if _, err := set.Predict(task, nil); err == nil {
		t.Error("no outputs")
	}
	if _, err := task.Score(t.Context(), set.Examples, []*Prediction{{}}); err == nil || !strings.Contains(err.Error(), "has no label to compare with") {
		t.Error(err)
	}
}

// A correlation with values that are all the same is 0.
func TestConstantPredictions(t *testing.T) {
	one, two := 1.0, 2.0
	scores, err := newTask(t, "regression", Options{}).Score(t.Context(),
		[]*Example{{Labelled: true, Value: 1}, {Labelled: true, Value: 2}}, []*Prediction{{Value: &one}, {Value: &one}})
	if err != nil || scores[0] != (Score{"pearson", 0}) {
		t.Errorf("%v, error %v", scores, err)
	}
	scores, err = newTask(t, "regression", Options{Metric: "spearmanr"}).Score(t.Context(),
		[]*Example{{Labelled: true, Value: 1}, {Labelled: true, Value: 2}}, []*Prediction{{Value: &one}, {Value: &two}})
	if err != nil || scores[0] != (Score{"spearmanr", 1}) {
		t.Errorf("%v, error %v", scores, err)
	}
}

// Choices stand after the passage, in the gap of a question or behind it; which is right may be a number, a letter or
// itself.
func TestMultipleChoice(t *testing.T) {
	task := newTask(t, "multiple-choice", Options{})
	set, err := load(t, task, true, false, "a.jsonl", `{"context":"the film","question":"was _ ?","choices":["good","bad"],"label":1}
{"article":"the film","question":"who ?","options":["good","bad"],"answer":"A"}
{"choices":["good","bad"],"label":"bad"}
{"sent1":"the film","choices":["good","bad"],"label":"0"}
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Learn(set.Examples); err != nil {
		t.Fatal(err)
	}
	tok := wordPieces(t)
	if err := set.Encode(task, tok); err != nil {
		t.Fatal(err)
	}
	b := Pack(set.Features)
	if b.Group != 2 || b.Sequences() != 8 || !slices.Equal(b.Labels, []int32{1, 0, 1, 0}) {
		t.Errorf("group %d, %d sequences, labels %v", b.Group, b.Sequences(), b.Labels)
	}
	var texts []string
	for i := range b.Sequences() {
		texts = append(texts, tok.Decode(b.InputIDs[b.Offsets[i]:b.Offsets[i+1]]))
	}
	if want := []string{
		"[CLS] the film [SEP] was good ? [SEP]", "[CLS] the film [SEP] was bad ? [SEP]",
		"[CLS] the film [SEP] who ? good [SEP]", "[CLS] the film [SEP] who ? bad [SEP]",
		"[CLS] good [SEP]", "[CLS] bad [SEP]",
		"[CLS] the film [SEP] good [SEP]", "[CLS] the film [SEP] bad [SEP]",
	}; !slices.Equal(texts, want) {
		t.Errorf("%q, want %q", texts, want)
	}
	predictions, err := set.Predict(task, [][]float32{{0, 1}, {0, 1}, {0, 1}, {0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if scores, err := task.Score(t.Context(), set.Examples, predictions); err != nil || scores[0] != (Score{"accuracy", 0.5}) {
		t.Errorf("%v, error %v", scores, err)
	}
}

// A JSON number is an index, whatever the choices are; text is a choice before it is a number or a letter.
func TestRightChoice(t *testing.T) {
	for text, want := range map[string]int{
		`{"choices":["3","2","1","0"],"label":2}`: 2, `{"choices":["7","8"],"label":"8"}`: 1, `{"choices":["7","8"],"label":"1"}`: 1,
		`{"choices":["A","B"],"label":"B"}`: 1, `{"choices":["x","B"],"label":"A"}`: 0, `{"choices":["0","1"],"label":"1"}`: 1,
	} {
		set, err := load(t, newTask(t, "multiple-choice", Options{}), true, false, "a.jsonl", text)
		if err != nil || set.Examples[0].Right != want {
			t.Errorf("%s: %+v, error %v, want %d", text, set, err, want)
		}
	}
}

// A gap is a run of underscores, and is filled once; a question may have several.
func TestGaps(t *testing.T) {
	e, err := choiceExample("here", "", "The ____ was $1_, not _.", []string{"$1 film", "play"})
	if want := []string{"", "The $1 film was $1$1 film, not $1 film.", "The play was $1play, not play."}; err != nil ||
		!slices.Equal(e.Texts, want) {
		t.Errorf("%q, error %v, want %q", e.Texts, err, want)
	}
}

// Examples may have different numbers of choices.
func TestDifferentlyManyChoices(t *testing.T) {
	task := newTask(t, "multiple-choice", Options{})
	set, err := load(t, task, true, false, "a.jsonl", `{"choices":["good","bad"],"label":1}
{"choices":["good","bad","film","play"],"label":3}
{"choices":["good","bad","film"],"label":0}
`)
	if err == nil {
		err = task.Learn(set.Examples)
	}
	if err == nil {
		err = set.Encode(task, wordPieces(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	predictions, err := set.Predict(task, [][]float32{{0, 1}, {0, 1, 2, 3}, {0, 1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := task.Score(t.Context(), set.Examples, predictions)
	if err != nil || scores[0] != (Score{"accuracy", 2.0 / 3}) {
		t.Errorf("%v, error %v", scores, err)
	}
}

// Sentences of a pair lie one after the other; cosines have values to be near to, and without values each first
// sentence finds its second among all.
func TestSimilarity(t *testing.T) {
	task := newTask(t, "similarity", Options{Scale: 5})
	set, err := load(t, task, true, false, "a.tsv", "sentence1\tsentence2\tscore\ngood film\tbad\t5\nfilm\tplay\t2.5\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Encode(task, wordPieces(t)); err != nil {
		t.Fatal(err)
	}
	b := Pack(set.Features)
	if b.Group != 2 || b.Sequences() != 4 || !slices.Equal(b.Targets, []float32{1, 0.5}) || b.Labels != nil {
		t.Errorf("group %d, %d sequences, targets %v", b.Group, b.Sequences(), b.Targets)
	}
	triples := newTask(t, "similarity", Options{})
	set, err = load(t, triples, true, false, "a.jsonl", `{"anchor":"good","positive":"film","negative":"bad"}
{"anchor":"bad","positive":"play","negative":"film"}
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := triples.Learn(set.Examples); err != nil {
		t.Fatal(err)
	}
	if err := set.Encode(triples, wordPieces(t)); err != nil {
		t.Fatal(err)
	}
	if b := Pack(set.Features); b.Group != 3 || b.Targets != nil {
		t.Errorf("group %d, targets %v", b.Group, b.Targets)
	}
	// the first anchor is nearest to its own; the second has the first's own and its own negative before it,
	// and the first's negative beside it
	predictions, err := set.Predict(triples, [][]float32{{2, 0, 4, 0.1, 0, 1}, {1, 0, 0, 3, 5, 5}})
	if err != nil {
		t.Fatal(err)
	}
	if v := *predictions[1].Value; v != 0 {
		t.Errorf("cosine %v, want 0", v)
	}
	scores, err := triples.Score(t.Context(), set.Examples, predictions)
	if want := (Scores{{"retrieval_accuracy", 0.5}, {"mean_reciprocal_rank", (1 + 1.0/4) / 2}}); err != nil || !slices.Equal(scores, want) {
		t.Errorf("%v, error %v, want %v", scores, err, want)
	}
}

// A share is held out of whole articles, the same for the same seed, and of nothing is refused.
func TestHoldOut(t *testing.T) {
	var examples []*Example
	for i := range 100 {
		examples = append(examples, &Example{Place: fmt.Sprint(i), Group: fmt.Sprint(i / 10)})
	}
	train, test, err := HoldOut(examples, 0.3, 1)
	if err != nil || len(train) != 70 || len(test) != 30 {
		t.Fatalf("%d and %d, error %v", len(train), len(test), err)
	}
	groups := map[string]bool{}
	for _, e := range test {
		groups[e.Group] = true
	}
	for _, e := range train {
		if groups[e.Group] {
			t.Fatalf("article %s is on both sides", e.Group)
		}
	}
	_, same, _ := HoldOut(examples, 0.3, 1)
	_, other, _ := HoldOut(examples, 0.3, 2)
	if !slices.Equal(test, same) || slices.Equal(test, other) {
		t.Error("what is held out does not follow the seed")
	}
	for _, share := range []float64{0, 0.01, 0.99, 1, math.NaN()} {
		if _, _, err := HoldOut(examples, share, 1); err == nil {
			t.Errorf("a share of %v is held out", share)
		}
	}
}

// Of each class its share is held out, and of a rare one never all.
func TestHoldOutOfClasses(t *testing.T) {
	for seed := range uint64(20) {
		var examples []*Example
		for i := range 103 {
			label := "common"
			switch {
			case i%4 == 1 && i < 80:
				label = "less"
			case i > 100:
				label = fmt.Sprint("rare ", i)
			}
			examples = append(examples, &Example{Place: fmt.Sprint(i), Labels: []string{label}})
		}
		train, test, err := HoldOut(examples, 0.3, seed)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for _, e := range test {
			counts[e.Labels[0]]++
		}
		if len(train)+len(test) != 103 || len(test) != 31 || counts["less"] != 6 || counts["common"] != 25 {
			t.Errorf("seed %d: %d and %d, of each label %v", seed, len(train), len(test), counts)
		}
	}
	one := []*Example{{Place: "1", Labels: []string{"a"}}, {Place: "2", Labels: []string{"b"}}}
	if _, _, err := HoldOut(one, 0.5, 1); err == nil || !strings.Contains(err.Error(), "one of each label to train on") {
		t.Error(err)
	}
}

// Every task has a name, hyper-parameters, and says its own name.
func TestNames(t *testing.T) {
	if names := Names(); len(names) < 20 || !slices.IsSorted(names) {
		t.Errorf("names %v", names)
	}
	for _, name := range Names() {
		if task := newTask(t, name, Options{}); task.Name() != name {
			t.Errorf("task %s says it is %s", name, task.Name())
		}
		if h := Defaults(name); !(h.LearningRate > 0) || h.BatchSize == 0 || h.MaxLength == 0 || (h.Steps > 0) == (h.Epochs > 0) ||
			(h.WarmupSteps > 0) == (h.WarmupShare > 0) || h.ClassifierDropout != 0.1 {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if h := Defaults("glue/qqp"); h != (Hyperparameters{LearningRate: 5e-5, BatchSize: 128, Steps: 14000, WarmupSteps: 1000,
		MaxLength: 512, Dropout: 0.1, ClassifierDropout: 0.1}) {
		t.Errorf("QQP: %+v", h)
	}
	if _, err := New("sentiment", Options{}); err == nil || !strings.Contains(err.Error(), "classification") {
		t.Errorf("an unknown task: %v", err)
	}
	if _, err := New("regression", Options{MaxLength: 3}); err == nil {
		t.Error("sequences of three tokens")
	}
}

// tree writes files below a directory and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The layouts of GLUE's nine tasks, of IMDB, SQuAD and RACE: where files are, and what is in them.
func TestLayouts(t *testing.T) {
	quoted := `the "film`
	dir := tree(t, map[string]string{
		"CoLA/train.tsv":                "gj04\t1\t\tthe \"film\ngj04\t0\t*\tplay\n",
		"CoLA/dev.tsv":                  "gj04\t0\t*\tthe \"film\n",
		"CoLA/test.tsv":                 "index\tsentence\n0\tthe \"film\n",
		"SST-2/train.tsv":               "sentence\tlabel\nthe \"film\t1\n",
		"SST-2/test.tsv":                "index\tsentence\n0\tthe \"film\n",
		"MRPC/dev.tsv":                  "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tthe \"film\tplay\n",
		"MRPC/test.tsv":                 "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t7\t8\tthe \"film\tplay\n",
		"QQP/train.tsv":                 "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\tthe \"film\tplay\t1\n",
		"STS-B/dev.tsv":                 "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tg\tf\t2012\t1\tnone\tnone\tthe \"film\tplay\t2.5\n",
		"STS-B/test.tsv":                "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\n0\tg\tf\t2012\t1\tnone\tnone\tthe \"film\tplay\n",
		"stsbenchmark/sts-train.csv":    "g\tf\t2012\t0\t2.5\tthe \"film\tplay\ng\tf\t2012\t1\t4\ta\tb\tsource\tsource\n",
		"MNLI/train.tsv":                "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label\n0\t1\t2\tg\t(\t(\t(\t(\tthe \"film\tplay\tneutral\tentailment\n",
		"MNLI/dev_matched.tsv":          "sentence1\tsentence2\tlabel1\tlabel2\tgold_label\nthe \"film\tplay\tneutral\tneutral\tentailment\n",
		"MNLI/dev_mismatched.tsv":       "sentence1\tsentence2\tlabel1\tlabel2\tgold_label\nthe \"film\tplay\tneutral\tneutral\tcontradiction\n",
		"QNLI/dev.tsv":                  "index\tquestion\tsentence\tlabel\n0\tthe \"film\tplay\tnot_entailment\n",
		"RTE/dev.tsv":                   "index\tsentence1\tsentence2\tlabel\n0\tthe \"film\tplay\tentailment\n",
		"WNLI/dev.tsv":                  "index\tsentence1\tsentence2\tlabel\n0\tthe \"film\tplay\t0\n",
		"aclImdb/train/pos/0_9.txt":     "the \"film\n",
		"aclImdb/train/neg/0_1.txt":     "bad",
		"RACE/dev/high/1.txt":           `{"answers":["B"],"options":[["play","film"]],"questions":["who ?"],"article":"the \"film","id":"1"}`,
		"dev-v1.1.json":                 `{"data":[` + article("") + `],"version":"1.1"}`,
		"squad2/dev-v2.0.json":          `{"version":"v2.0","data":[` + article(`,{"id":"q","question":"Who?","is_impossible":true,"plausible_answers":[{"text":"Ada","answer_start":7}],"answers":[]}`) + `]}`,
		"not-a-layout/whatever/any.tsv": "",
	})
	for _, c := range []struct {
		task, split string
		examples    int
		want        string // of the first but for IMDB, where it is the second
	}{
		{"glue/cola", Train, 2, quoted + " [1] 0"},
		{"glue/cola", Dev, 1, quoted + " [0] 0"},
		{"glue/cola", Test, 1, quoted + " [] 0"},
		{"glue/sst2", Train, 1, quoted + " [1] 0"},
		{"glue/sst2", Test, 1, quoted + " [] 0"},
		{"glue/mrpc", Dev, 1, quoted + "|play [1] 0"},
		{"glue/mrpc", Test, 1, quoted + "|play [] 0"},
		{"glue/qqp", Train, 1, quoted + "|play [1] 0"},
		{"glue/stsb", Dev, 1, quoted + "|play [] 2.5"},
		{"glue/stsb", Train, 2, quoted + "|play [] 2.5"},
		{"glue/stsb", Test, 1, quoted + "|play [] 0"},
		{"similarity/stsb", Dev, 1, quoted + "|play [] 0.5"},
		{"similarity/stsb", Train, 2, quoted + "|play [] 0.5"},
		{"similarity/stsb", Test, 1, quoted + "|play [] 0"},
		{"glue/mnli", Train, 1, quoted + "|play [entailment] 0"},
		{"glue/mnli", Dev, 1, quoted + "|play [entailment] 0"},
		{"glue/mnli-mm", Dev, 1, quoted + "|play [contradiction] 0"},
		{"glue/qnli", Dev, 1, quoted + "|play [not_entailment] 0"},
		{"glue/rte", Dev, 1, quoted + "|play [entailment] 0"},
		{"glue/wnli", Dev, 1, quoted + "|play [0] 0"},
		{"imdb", Train, 2, quoted + " [pos] 0"},
		{"race", Dev, 1, quoted + "|who ? play|who ? film [] 0"},
		{"squad", Dev, 1, "What?|Varn é Ada [] 0"},
		{"squad2", Dev, 2, "What?|Varn é Ada [] 0"},
	} {
		path, err := Files(c.task, dir, c.split)
		if err != nil {
			t.Error(err)
			continue
		}
		set, err := Load(newTask(t, c.task, Options{}), c.split != Test, false, path)
		if err != nil {
			t.Errorf("%s, %s: %v", c.task, c.split, err)
			continue
		}
		e := set.Examples[0]
		if c.task == "imdb" {
			e = set.Examples[1]
		}
		if got := fmt.Sprint(strings.Join(e.Texts, "|"), " ", e.Labels, " ", e.Value); got != c.want || len(set.Examples) != c.examples {
			t.Errorf("%s, %s: %d examples, %s, want %d, %s", c.task, c.split, len(set.Examples), got, c.examples, c.want)
		}
	}
	impossible, err := Load(newTask(t, "squad2", Options{}), true, false, filepath.Join(dir, "squad2/dev-v2.0.json"))
	if err != nil || !impossible.Examples[1].Impossible || impossible.Examples[0].Answers[0] != (Answer{"Ada", len("Varn é ")}) {
		t.Errorf("%+v, error %v", impossible, err)
	}
	if _, err := Files("glue/qnli", dir, Train); err == nil || !strings.Contains(err.Error(), "has none of train.tsv, QNLI/train.tsv, the part train of glue/qnli") {
		t.Error(err)
	}
	if _, err := Files("classification", dir, Train); err == nil || !strings.Contains(err.Error(), "no fixed names") {
		t.Error(err)
	}
	if _, err := Load(newTask(t, "imdb", Options{}), true, false, filepath.Join(dir, "RACE")); err == nil || !strings.Contains(err.Error(), "want the folders pos and neg") {
		t.Error(err)
	}
}

// Batches count from 0 in each sequence, and labels are there only if every feature has them.
func TestPack(t *testing.T) {
	one := &Feature{Sequences: []Sequence{{[]int32{2, 7, 3}, []int32{0, 0, 0}}}, Labels: []int32{1}}
	two := &Feature{Sequences: []Sequence{{[]int32{2, 3}, []int32{0, 1}}}, Labels: []int32{0}}
	none := &Feature{Sequences: two.Sequences}
	b := Pack([]*Feature{one, two})
	want := models.Batch{InputIDs: []int32{2, 7, 3, 2, 3}, TokenTypeIDs: []int32{0, 0, 0, 0, 1}, PositionIDs: []int32{0, 1, 2, 0, 1},
		Offsets: []int{0, 3, 5}, Labels: []int32{1, 0}, Group: 1}
	if fmt.Sprint(*b) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", *b, want)
	}
	if b := Pack([]*Feature{one, none}); b.Labels != nil || b.Targets != nil {
		t.Errorf("labels %v, targets %v", b.Labels, b.Targets)
	}
}
