package tasks

import (
	"os"
	"path/filepath"
	"testing"

	"goalbert/models"
	"goalbert/tokenizer"
)

// The real files load, as their publishers' counts have them, and become features.
func TestSharedData(t *testing.T) {
	const shared = "../../shared/data"
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the shared data are not on this machine")
	}
	if testing.Short() {
		t.Skip("reads all of the shared data")
	}
	open := func(tok tokenizer.Tokenizer, err error) tokenizer.Tokenizer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	english := open(tokenizer.Open(filepath.Join(shared, "albert-vocab-en")))
	chinese := open(tokenizer.Open(filepath.Join(shared, "vocab-zh")))
	sms := Options{Text: "2", Label: []string{"1"}}
	senti := Options{Text: "1", Label: []string{"2"}}
	for _, c := range []struct {
		task     string
		options  Options
		path     string
		tok      tokenizer.Tokenizer
		examples int
		labels   int
	}{
		{"glue/sst2", Options{}, "glue-sst2/train.tsv", nil, 67349, 2},
		{"glue/sst2", Options{}, "glue-sst2/dev.tsv", english, 872, 2},
		{"glue/cola", Options{}, "glue-cola/train.tsv", nil, 7250, 2},
		{"glue/cola", Options{}, "glue-cola/val.tsv", english, 1301, 2},
		{"glue/stsb", Options{}, "stsb/sts-train.csv", nil, 5749, 1},
		{"similarity/stsb", Options{}, "stsb/sts-dev.csv", english, 1500, 0},
		{"classification", sms, "sms-spam/SMSSpamCollection", english, 5574, 2},
		{"classification", senti, "zh-chnsenticorp/train.tsv", nil, 9600, 2},
		{"classification", senti, "zh-chnsenticorp/dev.tsv", chinese, 1200, 2},
		{"tokens", Options{}, "zh-ner-weibo/train.json", chinese, 1350, 21},
		{"tokens", Options{}, "zh-ner-weibo/dev.json", chinese, 270, 18},
		{"tokens", Options{}, "zh-ner-weibo/test.json", chinese, 270, 19},
		{"squad", Options{MaxLength: 384}, "squad/dev-v1.1.json", nil, 10570, 0},
	} {
		task := newTask(t, c.task, c.options)
		set, err := Load(task, true, false, filepath.Join(shared, c.path))
		if err != nil {
			t.Error(err)
			continue
		}
		if err := task.Learn(set.Examples); err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		config, err := task.Configure(models.Config{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if len(set.Examples) != c.examples || c.labels > 0 && config.Labels.Len() != c.labels {
			t.Errorf("%s: %d examples, %d labels, want %d, %d", c.path, len(set.Examples), config.Labels.Len(), c.examples, c.labels)
		}
		if c.tok == nil {
			continue
		}
		if err := set.Encode(task, c.tok); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}

// The windows of SQuAD's passages show each answer: decoding the first answer's own tokens gives its text again, but
// where the file has an answer begin within a word: four stands in fourth.
func TestSharedAnswers(t *testing.T) {
	const path = "../../shared/data/squad/dev-v1.1.json"
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared data are not on this machine")
	}
	if testing.Short() {
		t.Skip("reads the shared SQuAD")
	}
	tok, err := tokenizer.Open("../../shared/data/albert-vocab-en")
	if err != nil {
		t.Fatal(err)
	}
	task := newTask(t, "squad", Options{MaxLength: 384, MaxAnswerLength: 100})
	set, err := Load(task, true, false, path)
	if err != nil {
		t.Fatal(err)
	}
	set.Examples = set.Examples[:1500]
	if err := set.Encode(task, tok); err != nil {
		t.Fatal(err)
	}
	var outputs [][]float32
	for _, f := range set.Features {
		logits := make([]float32, 2*f.Tokens())
		if f.Labels[0] > 0 {
			logits[2*f.Labels[0]], logits[2*f.Labels[1]+1] = 9, 9
		}
		outputs = append(outputs, logits)
	}
	predictions, err := set.Predict(task, outputs)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := task.Score(t.Context(), set.Examples, predictions)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d questions, %d windows, %v", len(set.Examples), len(set.Features), scores)
	if scores[0].Name != "f1" || scores[0].Value < 98.5 || scores[1].Value < 98.5 {
		t.Errorf("the right tokens have the scores %v", scores)
	}
}
