package tasks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// Labels are sorted, numbers by value.
func TestLabelsAreSorted(t *testing.T) {
	task := newTask(t, "classification", Options{})
	set, err := load(t, task, true, false, "a.tsv", "text\tlabel\na\t10\nb\t2\nc\tnone\nd\t2\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Learn(set.Examples); err != nil {
		t.Fatal(err)
	}
	c, err := task.Configure(models.Config{})
	if want := []string{"2", "10", "none"}; err != nil || !slices.Equal(c.Labels.Names(), want) || c.ProblemType != models.SingleLabel {
		t.Errorf("labels %v, problem %s, error %v, want %v", c.Labels.Names(), c.ProblemType, err, want)
	}
}

// Labels that are given, by a file or a model, are compared with those of the examples, and in one sentence.
func TestLabelsThatDoNotFit(t *testing.T) {
	const tsv = "text\tlabel\na\tx\nb\ty\n"
	for name, c := range map[string]struct {
		labels []string
		text   string
		want   string
	}{
		"an empty class":    {[]string{"x", "y", "z"}, tsv, `label "z" has no training example; remove it from the labels, or add examples`},
		"a wrong file":      {[]string{"x", "z"}, tsv, `a.tsv:3: label "y" is unknown; want one of the model's: "x", "z"`},
		"one class":         {nil, "text\tlabel\na\tx\nb\tx\n", `all training examples have the label "x"; want at least two labels`},
		"a model's numbers": {[]string{"LABEL_0", "LABEL_1"}, "text\tlabel\na\t1\nb\t0\n", ""},
	} {
		task := newTask(t, "classification", Options{Labels: c.labels})
		set, err := load(t, task, true, false, "a.tsv", c.text)
		if err != nil {
			t.Fatal(err)
		}
		if err := task.Learn(set.Examples); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A label that is in dev alone is the error of its line, and is not left out with the bad examples: the scores would be of
// those that the model knows.
func TestLabelOfDevAlone(t *testing.T) {
	task := newTask(t, "classification", Options{})
	train, err := load(t, task, true, false, "train.tsv", "text\tlabel\na\tx\nb\ty\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Learn(train.Examples); err != nil {
		t.Fatal(err)
	}
	for _, skipBad := range []bool{false, true} {
		dev, err := load(t, task, true, skipBad, "dev.tsv", "text\tlabel\ngood\tx\nbad\tneither\n")
		if err != nil {
			t.Fatal(err)
		}
		err = dev.Encode(task, wordPieces(t))
		if err == nil || !strings.Contains(err.Error(), `dev.tsv:3: label "neither" is unknown; want one of the model's: "x", "y"`) {
			t.Error(err)
		}
	}
}

func TestReadLabels(t *testing.T) {
	labels, err := ReadLabels(write(t, "labels.txt", "\ufeffO\r\nB-PER\r\nI-PER\r\n"))
	if want := []string{"O", "B-PER", "I-PER"}; err != nil || !slices.Equal(labels, want) {
		t.Errorf("%q, error %v, want %q", labels, err, want)
	}
	for text, want := range map[string]string{
		"":          "labels.txt is empty, want one label a line",
		"a\n\nb\n":  `labels.txt:2: label is "", want one label a line`,
		"a\nb\na\n": `labels.txt:3: label "a" is already in line 1; remove one`,
	} {
		if _, err := ReadLabels(write(t, "labels.txt", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// A task adopts a model that was fine-tuned for it, and no other.
func TestAdopt(t *testing.T) {
	fit := map[string]string{ // what Configure of the one gives the other adopts
		"classification": "classification", "regression": "regression", "tokens": "tokens", "squad": "question-answering",
		"race": "multiple-choice", "similarity/stsb": "similarity",
	}
	configure := func(name string) models.Config {
		task := newTask(t, name, Options{})
		if err := task.Learn([]*Example{
			{Labels: []string{"B-X"}, Texts: []string{"a", "b"}}, {Labels: []string{"O"}, Value: 1, Texts: []string{"a", "b"}},
		}); err != nil {
			t.Fatal(name, err)
		}
		c, err := task.Configure(models.Config{})
		if err != nil {
			t.Fatal(name, err)
		}
		return c
	}
	for name := range fit {
		for _, other := range fit {
			err := newTask(t, other, Options{}).Adopt(configure(name))
			if want := fit[name] == other; (err == nil) != want {
				t.Errorf("%s adopts a model of %s: %v", other, name, err)
			}
		}
	}
}

// Several labels that do not exclude each other: of one column, of a list, of columns of 0 and 1.
func TestSeveralLabels(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		options    Options
	}{
		"one column":   {"a.tsv", "text\tlabel\na\ttoxic, rude\nb\t\nc\trude\n", Options{MultiLabel: true}},
		"a separator":  {"a.tsv", "text\tlabel\na\ttoxic|rude\nb\t\nc\trude\n", Options{MultiLabel: true, LabelSeparator: "|"}},
		"a list":       {"a.jsonl", `{"text":"a","labels":["toxic","rude"]}` + "\n" + `{"text":"b","labels":[]}` + "\n" + `{"text":"c","labels":["rude"]}`, Options{MultiLabel: true}},
		"more columns": {"a.tsv", "text\trude\ttoxic\na\t1\t1\nb\t0\t0\nc\t1\t0\n", Options{Label: []string{"rude", "toxic"}}},
		"other names": {"a.tsv", "text\tr\tt\na\t1\t1\nb\t0\t0\nc\t1\t0\n", Options{Label: []string{"r", "t"},
			LabelMap: map[string]string{"r": "rude", "t": "toxic"}}},
		"one name of two columns": {"a.tsv", "text\trude\tt\tu\na\t1\t1\t0\nb\t0\t0\t0\nc\t1\t0\t0\n", Options{Label: []string{"rude", "t", "u"},
			LabelMap: map[string]string{"t": "toxic", "u": "toxic"}}},
	} {
		task := newTask(t, "classification", c.options)
		set, err := load(t, task, true, false, c.file, c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := task.Learn(set.Examples); err != nil {
			t.Fatal(err)
		}
		config, err := task.Configure(models.Config{})
		if err != nil || config.ProblemType != models.MultiLabel || config.Labels != models.NewLabels("rude", "toxic") {
			t.Errorf("%s: problem %s, labels %v, error %v", name, config.ProblemType, config.Labels.Names(), err)
		}
		if err := set.Encode(task, wordPieces(t)); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(Pack(set.Features).Targets), "[1 1 0 0 1 0]"; got != want {
			t.Errorf("%s: targets %s, want %s", name, got, want)
		}
		predictions, err := set.Predict(task, [][]float32{{1, -1}, {-2, 0}, {3, 0.5}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range predictions {
			got = append(got, strings.Join(p.Labels, "+"))
		}
		if want := []string{"rude", "toxic", "rude+toxic"}; !slices.Equal(got, want) {
			t.Errorf("%s: predicted %v, want %v", name, got, want)
		}
	}
	task := newTask(t, "classification", Options{Label: []string{"rude", "toxic"}})
	set, err := load(t, task, true, false, "a.tsv", "text\trude\ttoxic\na\t1\t0\n")
	if err == nil {
		err = task.Learn(set.Examples)
	}
	if err == nil || !strings.Contains(err.Error(), `label "toxic" has no training example`) {
		t.Error(err)
	}
}

// A model whose labels exclude each other has no probability of each by itself, however several are asked for.
func TestSeveralLabelsOfASingleLabelModel(t *testing.T) {
	config := models.Config{Architecture: models.ForSequenceClassification, Labels: models.NewLabels("rude", "toxic")}
	for _, o := range []Options{{MultiLabel: true}, {Label: []string{"rude", "toxic"}}} {
		for problem, refused := range map[models.ProblemType]bool{models.SingleLabel: true, models.MultiLabel: false} {
			config.ProblemType = problem
			err := newTask(t, "classification", o).Adopt(config)
			if refused != (err != nil) || refused && !strings.Contains(err.Error(), "several labels of an example are asked for") {
				t.Errorf("%+v of a model of %s: %v", o, problem, err)
			}
		}
	}
}
