package main

import (
	"os"
	"strings"
	"testing"
)

// A WordPiece vocabulary from its training to a model that is trained with it.
func TestWordPiece(t *testing.T) {
	p := newProject(t)
	vocabulary := p.path("wordpiece")
	must(t, "tokenizer", "train", p.corpus, "--type", "wordpiece", "--vocab-size", "150", "--out", vocabulary)
	for _, name := range []string{"vocab.txt", "tokenizer_config.json"} {
		if _, err := os.Stat(vocabulary + "/" + name); err != nil {
			t.Error(err)
		}
	}
	const text = "kato [MASK] end."
	var answers []string
	for _, model := range []string{vocabulary, vocabulary + "/vocab.txt"} {
		ids := albert(t, text+"\n", "tokenizer", "encode", "--model", model)
		back := albert(t, ids.stdout, "tokenizer", "decode", "--model", model)
		if want := "kato [MASK] end .\n"; back.stdout != want {
			t.Errorf("%s: decoded %q, want %q", model, back.stdout, want)
		}
		answers = append(answers, ids.stdout)
	}
	if answers[0] != answers[1] {
		t.Errorf("the directory gives ids %q, its file %q", answers[0], answers[1])
	}
	p.vocabulary = vocabulary
	must(t, p.pretrain("run", "--steps", "2")...)
	const want = "WordPiece of 150 pieces, because there is a vocab.txt and no spiece.model"
	if out := must(t, "inspect", p.path("run/model")); !strings.Contains(out, want) {
		t.Errorf("inspect says %q", out)
	}
}

func TestWordPieceUsage(t *testing.T) {
	for _, flags := range [][]string{
		{"--type", "bpe"}, {"--limit-alphabet", "5"}, {"--type", "wordpiece", "--seed", "1"},
		{"--type", "wordpiece", "--character-coverage", "1"},
	} {
		r := albert(t, "", append([]string{"tokenizer", "train", "x", "--out", "y"}, flags...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, "--"+strings.TrimPrefix(flags[len(flags)-2], "--")) {
			t.Errorf("%q: exit code %d, %q; want %d and the flag", flags, r.code, r.stderr, exitUsage)
		}
	}
}
