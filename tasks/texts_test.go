package tasks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// fitted is the configuration of a model that was fine-tuned on examples of a task.
func fitted(t *testing.T, name, file, text string) models.Config {
	t.Helper()
	task := newTask(t, name, Options{})
	set, err := load(t, task, true, false, file, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Learn(set.Examples); err != nil {
		t.Fatal(err)
	}
	c, err := task.Configure(models.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// adopted is the task of a model.
func adopted(t *testing.T, name string, o Options, c models.Config) Task {
	t.Helper()
	task := newTask(t, name, o)
	if err := task.Adopt(c); err != nil {
		t.Fatal(err)
	}
	return task
}

// A model keeps how many texts its examples have; an empty second one is one, and of examples of either number none is kept.
func TestKeptTexts(t *testing.T) {
	for _, c := range []struct {
		task, file, text string
		want             int
	}{
		{"classification", "a.tsv", "text\tlabel\na\tx\nb\ty\n", 1},
		{"classification", "a.tsv", "text\ttext_pair\tlabel\na\tb\tx\nc\t\ty\n", 2},
		{"classification", "a.jsonl", `{"text":"a","text_pair":"b","label":"x"}` + "\n" + `{"text":"c","label":"y"}`, 0},
		{"glue/qnli", "a.tsv", "index\tquestion\tsentence\tlabel\n0\ta\tb\tx\n1\tc\td\ty\n", 2},
		{"regression", "a.tsv", "text\tscore\na\t1\nb\t2\n", 1},
		{"regression", "a.tsv", "text\ttext_pair\tscore\na\t\t1\nb\tc\t2\n", 2},
	} {
		if got := fitted(t, c.task, c.file, c.text).TaskParams.Texts; got != c.want {
			t.Errorf("%s of %q keeps %d texts, want %d", c.task, c.text, got, c.want)
		}
	}
}

// Examples of another number of texts than the model's are refused, read or typed, to be scored, predicted or tested on.
func TestOtherNumberOfTexts(t *testing.T) {
	const needsTwo = "1 text, and the model takes 2; name the columns of both, or put a tab between typed ones"
	const needsOne = "2 texts, and the model takes 1; name its column, or leave the second text out"
	for _, name := range []string{"classification", "regression"} {
		one, two := "text\tlabel\na\t1\nb\t2\n", "text\ttext_pair\tlabel\na\tb\t1\nc\td\t2\n"
		pairs, singles := fitted(t, name, "a.tsv", two), fitted(t, name, "a.tsv", one)
		for _, labelled := range []bool{true, false} {
			for _, c := range []struct {
				model      models.Config
				options    Options
				file, text string
				want       string
			}{
				{pairs, Options{}, "a.tsv", one, "a.tsv:2: " + needsTwo},
				{pairs, Options{}, "a.tsv", two, ""},
				{pairs, Options{}, "a.jsonl", `{"text":"a","label":1}`, "a.jsonl:1: " + needsTwo},
				{pairs, Options{Text: "text"}, "a.tsv", two, ""},
				{singles, Options{}, "a.tsv", one, ""},
				{singles, Options{}, "a.tsv", two, "a.tsv:2: " + needsOne},
				{singles, Options{Text: "text_pair"}, "a.tsv", two, ""},
				{singles, Options{Text: "text"}, "a.jsonl", `{"text":"a","text_pair":"b","label":1}`, ""},
				{singles, Options{Text: "text", Pair: "text_pair"}, "a.tsv", two, "a.tsv:2: " + needsOne},
			} {
				_, err := load(t, adopted(t, name, c.options, c.model), labelled, false, c.file, c.text)
				if (err == nil) != (c.want == "") || err != nil && !strings.HasSuffix(err.Error(), c.want) {
					t.Errorf("%s, %+v of %q: %v, want %s", name, c.options, c.text, err, c.want)
				}
			}
		}
		if _, err := load(t, adopted(t, name, Options{}, pairs), false, false, "a.txt", "good film\n"); err == nil || !strings.Contains(err.Error(), "a.txt:1: "+needsTwo) {
			t.Errorf("%s, one text a line: %v", name, err)
		}
		for _, c := range []struct {
			model models.Config
			texts []string
			want  string
		}{{pairs, []string{"good"}, needsTwo}, {pairs, []string{"good", ""}, ""}, {singles, []string{"good", "bad"}, needsOne}, {singles, []string{"good"}, ""}} {
			task := adopted(t, name, Options{}, c.model)
			e, err := task.Example(c.texts...)
			if err == nil {
				_, err = task.Features(e, wordPieces(t))
			}
			if (err == nil) != (c.want == "") || err != nil && err.Error() != "tasks: the text: "+c.want {
				t.Errorf("%s, %q: %v, want %s", name, c.texts, err, c.want)
			}
		}
		task := newTask(t, name, Options{})
		train, err := load(t, task, true, false, "train.tsv", two)
		if err != nil {
			t.Fatal(err)
		}
		dev, err := load(t, task, true, false, "dev.tsv", one)
		if err == nil {
			err = task.Learn(train.Examples)
		}
		if err == nil {
			err = dev.Encode(task, wordPieces(t))
		}
		if err == nil || !strings.Contains(err.Error(), "dev.tsv:2: "+needsTwo) {
			t.Errorf("%s, dev examples of one text: %v", name, err)
		}
	}
}

// An example that lacks its second text among others that have it is left out with the bad ones.
func TestMissingSecondTextIsLeftOut(t *testing.T) {
	pairs := fitted(t, "classification", "a.tsv", "text\ttext_pair\tlabel\na\tb\tx\nc\td\ty\n")
	set, err := load(t, adopted(t, "classification", Options{}, pairs), false, true, "a.jsonl", `{"text":"a","text_pair":"b"}`+"\n"+`{"text":"c"}`)
	if err != nil || len(set.Examples) != 1 || set.Bad != 1 {
		t.Errorf("%+v, error %v", set, err)
	}
}

// A file that has the columns of the data set that a model was fine-tuned on is read as the data set is; a model from before
// the number of texts was kept reads it so, too. Columns that are named win, and of other files the usual names are told.
func TestFileOfTheModelsDataSet(t *testing.T) {
	model := fitted(t, "glue/qnli", "a.tsv", "index\tquestion\tsentence\tlabel\n0\ta\tb\tx\n1\tc\td\ty\n")
	older := model
	older.TaskParams.Texts = 0
	for _, config := range []models.Config{model, older} {
		for _, c := range []struct {
			file, text string
			options    Options
			labelled   bool
			want       string
		}{
			{"dev.tsv", "index\tquestion\tsentence\tlabel\n0\tgood\tbad\tx\n", Options{}, true, "[good bad] [x]"},
			{"test.tsv", "index\tquestion\tsentence\n0\tgood\tbad\n", Options{}, false, "[good bad] []"},
			{"dev.csv", "sentence,label,question\nbad,x,good\n", Options{}, true, "[good bad] [x]"},
			{"dev.jsonl", `{"sentence":"bad","label":"x","question":"good"}`, Options{}, true, "[good bad] [x]"},
			{"pairs.tsv", "text\ttext_pair\tlabel\ngood\tbad\tx\n", Options{}, true, "[good bad] [x]"},
			{"dev.tsv", "index\tquestion\tsentence\tlabel\n0\tgood\tbad\tx\n", Options{Text: "sentence", Pair: "question"}, true, "[bad good] [x]"},
			{"other.tsv", "q\ta\tlabel\ngood\tbad\tx\n", Options{}, true, "other.tsv:1: the first line names no column of the text (text, sentence, sentence1, text_a)"},
			{"other.jsonl", `{"q":"good"}`, Options{}, false, "other.jsonl:1: the object has no key of the text (text, sentence, sentence1, text_a)"},
		} {
			var got string
			set, err := load(t, adopted(t, "classification", c.options, config), c.labelled, false, c.file, c.text)
			if got = fmt.Sprint(err); err == nil {
				got = fmt.Sprint(set.Examples[0].Texts, " ", set.Examples[0].Labels)
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%s, %+v: %s, want %s", c.file, c.options, got, c.want)
			}
		}
	}
	if _, err := load(t, adopted(t, "classification", Options{}, model), true, false, "half.tsv", "sentence\tlabel\nbad\tx\n"); err == nil || !strings.Contains(err.Error(), "half.tsv:2: 1 text, and the model takes 2") {
		t.Errorf("a file of half the examples: %v", err)
	}
	for name, l := range layouts {
		usual := slices.Contains(usualText, l.text) && (l.pair == "" || slices.Contains(usualPair, l.pair))
		if got := pairTable(name); l.text != "" && !usual && got == nil {
			t.Errorf("files of %s are found by name, and not by its columns %q and %q", name, l.text, l.pair)
		}
	}
}
