package tasks

import (
	"math"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// What a model keeps of the options comes back from it, but for those that are given.
func TestOptionsWith(t *testing.T) {
	given := Options{
		Metric: "exact", MaxLength: 40, DocStride: 7, MaxQueryLength: 9, MaxAnswerLength: 5, NBest: 3, NoAnswer: true,
		NullThreshold: -2,
	}
	c, err := newTask(t, "squad", given).Configure(models.Config{})
	if err != nil {
		t.Fatal(err)
	}
	none := func(string) bool { return false }
	if got := (Options{}).With(c.TaskParams, none); !sameOptions(got, given) || c.TaskParams.Task != "squad" {
		t.Errorf("from %+v: %+v, want %+v", c.TaskParams, got, given)
	}
	if got := (Options{}).With(models.TaskParams{Task: "similarity/stsb", Metric: "accuracy"}, none); got.Metric != "" {
		t.Errorf("a metric that the task has not is kept: %q", got.Metric)
	}
	got := Options{MaxLength: 20}.With(c.TaskParams, func(option string) bool { return option == "max-length" || option == "no-answer" })
	if given.MaxLength, given.NoAnswer = 20, false; !sameOptions(got, given) {
		t.Errorf("got %+v, want %+v", got, given)
	}
}

func sameOptions(a, b Options) bool {
	return a.kept("", "") == b.kept("", "") && a.DocStride == b.DocStride &&
		a.MaxQueryLength == b.MaxQueryLength && a.MaxAnswerLength == b.MaxAnswerLength && a.NBest == b.NBest &&
		a.NoAnswer == b.NoAnswer && a.NullThreshold == b.NullThreshold && a.Scale == b.Scale && a.LabelSeparator == b.LabelSeparator
}

// Each task keeps what it used, its layout's settings and defaults too, and nothing that it has not.
func TestConfigureKeepsOptions(t *testing.T) {
	examples := []*Example{{Labels: []string{"B-X"}, Texts: []string{"a", "b"}}, {Labels: []string{"O"}, Value: 1, Texts: []string{"a", "b"}}}
	for _, c := range []struct {
		task    string
		options Options
		want    models.TaskParams
	}{
		{"classification", Options{MaxLength: 64}, models.TaskParams{Metric: "accuracy", Texts: 2, MaxLength: 64}},
		{"classification", Options{MultiLabel: true}, models.TaskParams{Metric: "f1_micro", Texts: 2, MaxLength: 512, LabelSeparator: ","}},
		{"glue/cola", Options{}, models.TaskParams{Metric: "matthews_correlation", Texts: 2, MaxLength: 512}},
		{"imdb", Options{Metric: "f1"}, models.TaskParams{Metric: "f1", Texts: 2, MaxLength: 512}},
		{"regression", Options{}, models.TaskParams{Metric: "pearson", Texts: 2, MaxLength: 512}},
		{"tokens", Options{}, models.TaskParams{Metric: "f1", MaxLength: 512}},
		{"squad2", Options{NullThreshold: 1}, models.TaskParams{Metric: "f1", MaxLength: 512, DocStride: 128, MaxQueryLength: 64,
			MaxAnswerLength: 30, NBest: 20, NoAnswer: true, NullThreshold: 1}},
		{"race", Options{}, models.TaskParams{Metric: "accuracy", MaxLength: 512, MaxQueryLength: 128}},
		{"similarity/stsb", Options{}, models.TaskParams{MaxLength: 512, Scale: 5}},
	} {
		task := newTask(t, c.task, c.options)
		if err := task.Learn(examples); err != nil {
			t.Fatal(c.task, err)
		}
		got, err := task.Configure(models.Config{TaskParams: models.TaskParams{Task: "old", Scale: 9, NBest: 9}})
		if c.want.Task = c.task; err != nil || got.TaskParams != c.want {
			t.Errorf("%s: %+v, error %v, want %+v", c.task, got.TaskParams, err, c.want)
		}
	}
}

func TestOptionsThatNoTaskHas(t *testing.T) {
	for want, o := range map[string]Options{
		"the most tokens of a sequence are 5":           {MaxLength: 5},
		"the tokens from one window to the next are -1": {DocStride: -1},
		"the most tokens of a question are -1":          {MaxQueryLength: -1},
		"the most tokens of an answer are -1":           {MaxAnswerLength: -1},
		"the candidates of an answer are -1":            {NBest: -1},
		"the threshold of no answer is NaN":             {NullThreshold: math.NaN()},
		"the scale is -5, want above 0":                 {Scale: -5},
		"the scale is +Inf":                             {Scale: math.Inf(1)},
	} {
		if _, err := New("squad", o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A format is one that the files of the task can have; that of others would be read as something else.
func TestFormatsOfTasks(t *testing.T) {
	for _, c := range []struct {
		task   string
		format Format
		want   string
	}{
		{"classification", "tvs", `the format of files is "tvs", task classification wants one of [tsv tsv-quoted csv jsonl]; or give none`},
		{"regression", "CSV", `"CSV", task regression wants one of`},
		{"similarity", CoNLL, `"conll", task similarity wants one of`},
		{"tokens", TSV, `"tsv", task tokens wants one of [conll jsonl];`},
		{"multiple-choice", JSONL, `"jsonl", task multiple-choice has its own; give none`},
		{"glue/sst2", TSV, "has its own; give none"},
		{"imdb", "json", "has its own; give none"},
		{"tokens", CoNLL, ""}, {"tokens", JSONL, ""}, {"classification", QuotedTSV, ""}, {"similarity", CSV, ""}, {"squad", "", ""},
	} {
		_, err := New(c.task, Options{Format: c.format})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, format %q: %v, want %s", c.task, c.format, err, c.want)
		}
	}
	for name := range constructors {
		if used := slices.Contains(usedBy["data-format"], name); used != (formats[name] != nil) {
			t.Errorf("%s: the flag is used: %v, and its formats are %v", name, used, formats[name])
		}
	}
}

// A file may number the labels of a model, or call them otherwise; a number is none where labels are numbers themselves.
func TestOtherNamesOfLabels(t *testing.T) {
	numbers := "text\tlabel\ngood\t1\nbad\t0\n"
	names := "text\tlabel\ngood\tpos\nbad\tneg\n"
	for _, c := range []struct {
		task, file, text string
		labels           []string
		renamed          map[string]string
		want             []int32 // or what is wrong
		problem          string
	}{
		{"classification", "a.tsv", numbers, []string{"NEGATIVE", "POSITIVE"}, nil, []int32{1, 0}, ""},
		{"classification", "a.tsv", numbers, []string{"1", "2"}, nil, nil, `label "0" is unknown`},
		{"classification", "a.tsv", numbers, []string{"1", "2"}, map[string]string{"0": "1", "1": "2"}, []int32{1, 0}, ""},
		{"classification", "a.tsv", numbers, []string{"LABEL_1", "LABEL_0"}, nil, []int32{0, 1}, ""},
		{"classification", "a.tsv", names, []string{"NEGATIVE", "POSITIVE"}, map[string]string{"pos": "POSITIVE", "neg": "0"}, []int32{1, 0}, ""},
		{"classification", "a.tsv", names, []string{"NEGATIVE", "POSITIVE"}, map[string]string{"pos": "POSITIVE"}, nil, `a.tsv:3: label "neg" is unknown`},
		{"classification", "a.tsv", "text\tlabel\ngood\t2\n", []string{"NEGATIVE", "POSITIVE"}, nil, nil, `label "2" is unknown`},
		{"tokens", "a.jsonl", `{"tokens":["good"],"tags":[1]}` + "\n" + `{"tokens":["bad"],"tags":[0]}`, []string{"O", "B-X"}, nil, []int32{1, 0}, ""},
		{"tokens", "a.jsonl", `{"tokens":["good"],"tags":[2]}`, []string{"O", "B-X"}, nil, nil, "tag 2 is the number of no label, want 0 to 1"},
		{"tokens", "a.txt", "good 1\n\nbad 0\n", []string{"O", "B-X"}, nil, []int32{1, 0}, ""},
		{"tokens", "a.txt", "good X\n\nbad none\n", []string{"O", "B-X"}, map[string]string{"X": "B-X", "none": "O"}, []int32{1, 0}, ""},
		{"tokens", "a.txt", "good X\n", []string{"O", "B-X"}, nil, nil, `a.txt:1: tag is "X"`},
	} {
		task := newTask(t, c.task, Options{LabelMap: c.renamed})
		config := models.Config{Architecture: models.ForSequenceClassification, Labels: models.NewLabels(c.labels...)}
		if c.task == "tokens" {
			config.Architecture = models.ForTokenClassification
		}
		if err := task.Adopt(config); err != nil {
			t.Fatal(err)
		}
		set, err := load(t, task, true, false, c.file, c.text)
		if err == nil {
			err = set.Encode(task, wordPieces(t))
		}
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%q: %v, want %s", c.text, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q of %v: %v", c.text, c.labels, err)
			continue
		}
		var got []int32
		for _, f := range set.Features {
			for _, label := range f.Labels {
				if label != models.IgnoreIndex {
					got = append(got, label)
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q of %v: %v, want %v", c.text, c.labels, got, c.want)
		}
	}
	_, err := load(t, newTask(t, "tokens", Options{}), true, false, "a.jsonl", `{"tokens":["good"],"tags":[1]}`)
	if err == nil || !strings.Contains(err.Error(), "tag 1 is a number, and the labels are not known; give them") {
		t.Error(err)
	}
}

// An option that a task does not use is said, in the words of the flags.
func TestUnusedOptions(t *testing.T) {
	for _, c := range []struct {
		task    string
		options Options
		given   string
		want    string
	}{
		{"regression", Options{}, "doc-stride", "--doc-stride is not for task regression, but for question-answering; leave it out"},
		{"regression", Options{}, "multi-label", "--multi-label is not for task regression, but for classification"},
		{"glue/stsb", Options{}, "labels", "--labels is not for task glue/stsb"},
		{"glue/sst2", Options{}, "text-column", "--text-column is not for task glue/sst2, whose files are known; leave it out, or name task classification"},
		{"glue/sst2", Options{}, "labels", ""},
		{"imdb", Options{}, "label-map", ""},
		{"imdb", Options{}, "scale", "--scale is not for task imdb"},
		{"similarity/stsb", Options{}, "scale", ""},
		{"tokens", Options{}, "header", "--header is not for task tokens"},
		{"race", Options{}, "max-query-length", ""},
		{"race", Options{}, "label-column", "whose files are known"},
		{"classification", Options{}, "label-separator", "add --multi-label"},
		{"classification", Options{MultiLabel: true}, "label-separator", ""},
		{"squad", Options{}, "null-threshold", "add --no-answer"},
		{"squad2", Options{}, "null-threshold", ""},
		{"question-answering", Options{NoAnswer: true}, "null-threshold", ""},
		{"classification", Options{}, "metric", ""},
	} {
		got := Unused(c.task, c.options, func(option string) bool { return option == c.given })
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s, --%s: %q, want %q", c.task, c.given, got, c.want)
		}
	}
	for _, name := range Names() {
		if general := General(name); constructors[general] == nil {
			t.Errorf("%s is one of %s, which is no task", name, general)
		}
	}
}
