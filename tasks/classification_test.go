package tasks

import (
	"os"
	"path/filepath"
	"testing"

	"goalbert/models"
	"goalbert/tokenizer"
)

// wordPieces is a small vocabulary of whole words and of pieces.
func wordPieces(t testing.TB) tokenizer.Tokenizer {
	t.Helper()
	vocab := "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ngood\nbad\nfilm\n,\n.\nthe\nplay\n##ing\n##ed\nwas\nin\nOslo\noslo\n中\n国\n?\nwho\nwhere\n"
	b, err := tokenizer.NewBert([]byte(vocab), tokenizer.DefaultBasicRules())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write writes a file of examples and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func newTask(t testing.TB, name string, o Options) Task {
	t.Helper()
	task, err := New(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// From a file to features, and from outputs to scores.
func TestClassification(t *testing.T) {
	task := newTask(t, "classification", Options{})
	train := write(t, "train.tsv", "sentence\tlabel\ngood film\tpositive\nbad film\tnegative\n")
	set, err := Load(task, true, false, train)
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Learn(set.Examples); err != nil {
		t.Fatal(err)
	}
	c, err := task.Configure(models.Config{})
	if err != nil || c.Architecture != models.ForSequenceClassification || c.Labels != models.NewLabels("negative", "positive") {
		t.Fatalf("configuration %+v, error %v", c, err)
	}
	if err := set.Encode(task, wordPieces(t)); err != nil {
		t.Fatal(err)
	}
	b := Pack(set.Features)
	if b.Sequences() != 2 || b.Tokens() != 8 || b.Labels[0] != 1 || b.Labels[1] != 0 {
		t.Errorf("batch %+v", b)
	}
	predictions, err := set.Predict(task, [][]float32{{-1, 1}, {0, 2}})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := task.Score(t.Context(), set.Examples, predictions)
	if err != nil || scores[0] != (Score{"accuracy", 0.5}) {
		t.Errorf("scores %v, error %v", scores, err)
	}
}
