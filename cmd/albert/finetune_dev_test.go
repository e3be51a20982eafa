package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A share is held out of each class, and labels are those of all examples: whatever the seed, a rare class is trained on.
func TestDevShareOfRareClasses(t *testing.T) {
	p := newProject(t)
	rows := "sentence\tlabel\n"
	for i, s := range sentencesOf(40) {
		label := []string{"a", "b"}[i%2]
		if i == 20 {
			label = "rare"
		}
		rows += s + "\t" + label + "\n"
	}
	write(t, p.path("train.tsv"), rows)
	for seed := range 4 {
		r := albert(t, "", "finetune", "--task", "classification", "--train", p.path("train.tsv"), "--dev-share", "0.4", "--dev-seed",
			fmt.Sprint(seed), "--config", p.config, "--tokenizer", p.vocabulary, "--steps", "1", "--batch", "4", "--out",
			p.path(fmt.Sprint("run", seed)), "--json")
		if r.code != 0 {
			t.Fatalf("seed %d: %s", seed, r.stderr)
		}
		var trained finetuned
		decode(t, r.stdout, &trained)
		if !slices.Equal(trained.Labels, []string{"a", "b", "rare"}) || trained.Examples != 24 ||
			!strings.Contains(r.stderr, "16 of 40 training examples are held out as dev examples, of each class its share") {
			t.Errorf("seed %d: labels %v, %d examples, %s", seed, trained.Labels, trained.Examples, r.stderr)
		}
	}
	albert(t, "", "finetune", "--task", "classification", "--train", p.path("train.tsv"), "--dev", writeDev(t, p, "kato\tunknown\n"),
		"--skip-bad", "--config", p.config, "--tokenizer", p.vocabulary, "--out", p.path("skipped")).fails(t, `label "unknown" is unknown`)
}

// Of several labels an example may be the only one that has one: held out, it has it still.
func TestDevShareOfRareLabels(t *testing.T) {
	p := newProject(t)
	rows := "sentence\tlabel\n"
	for i, s := range sentencesOf(10) {
		rows += fmt.Sprintf("%s\t%s,alone-%d\n", s, []string{"a", "b"}[i%2], i)
	}
	write(t, p.path("train.tsv"), rows)
	var trained finetuned
	decode(t, must(t, "finetune", "--task", "classification", "--multi-label", "--train", p.path("train.tsv"), "--dev-share", "0.4",
		"--config", p.config, "--tokenizer", p.vocabulary, "--steps", "1", "--batch", "4", "--out", p.path("run"), "--json"), &trained)
	if len(trained.Labels) != 12 || trained.Examples != 6 || trained.Runs[0].Scores == nil {
		t.Errorf("%d labels, %d examples, scores %v", len(trained.Labels), trained.Examples, trained.Runs[0].Scores)
	}
}

func writeDev(t *testing.T, p project, rows string) string {
	t.Helper()
	write(t, p.path("dev.tsv"), "sentence\tlabel\nkato\ta\n"+rows)
	return p.path("dev.tsv")
}

// The test set of IMDB chooses no checkpoint: dev examples are a share of train, and the test set is what is reported.
func TestFinetuneIMDB(t *testing.T) {
	p := newProject(t)
	reviews := p.path("aclImdb")
	for _, dir := range []string{"train/pos", "train/neg", "test/pos", "test/neg"} {
		if err := os.MkdirAll(filepath.Join(reviews, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range sentencesOf(30) {
		write(t, filepath.Join(reviews, []string{"train", "test"}[i/20], []string{"neg", "pos"}[i%2], fmt.Sprint(i, "_1.txt")), s)
	}
	var trained finetuned
	decode(t, must(t, "finetune", "--task", "imdb", "--data", p.dir, "--config", p.config, "--tokenizer", p.vocabulary, "--steps", "4",
		"--batch", "4", "--out", p.path("imdb"), "--json"), &trained)
	if trained.Examples != 18 || trained.Runs[0].Scores == nil {
		t.Errorf("trained on %d examples, scores %v; want 18, and scores of 2", trained.Examples, trained.Runs[0].Scores)
	}
	var found taskEvaluation
	decode(t, must(t, "eval", p.path("imdb/model"), "--task", "imdb", "--data", p.dir, "--split", "test", "--json"), &found)
	if found.Examples != 10 {
		t.Errorf("tested on %d examples, want 10", found.Examples)
	}
	albert(t, "", "eval", p.path("imdb/model"), "--task", "imdb", "--data", p.dir).fails(t, "the part dev of imdb is held out of train",
		"ask for train or test")
}
