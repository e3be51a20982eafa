package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A vocabulary of another size than the model's is refused where the two are opened together; a padded model is not.
func TestVocabularySize(t *testing.T) {
	p := newProject(t)
	spiece, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	vocab := "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n" + strings.Repeat("a", 10)
	for n := range 140 {
		vocab += "\n" + strings.Repeat("b", n+1)
	}
	for _, test := range []struct{ file, text, rows, want string }{
		{"spiece.model", string(spiece), "150", ""},
		{"spiece.model", string(spiece), "152", ""},
		{"spiece.model", string(spiece), "256", ""},
		{"spiece.model", string(spiece), "149", "150 pieces, the model has room for 149"},
		{"spiece.model", string(spiece), "200", "150 pieces, the model 200 (vocab_size), want as many"},
		{"vocab.txt", vocab, "146", ""},
		{"vocab.txt", vocab[:strings.LastIndex(vocab, "\n")], "146", "the tokenizer has 145 pieces, the model 146 (vocab_size), want as many"},
		{"vocab.txt", "", "146", "the file is empty"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, test.file), test.text)
		write(t, filepath.Join(dir, "config.json"), `{"vocab_size": `+test.rows+`}`)
		r := albert(t, "a b\n", "tokenizer", "encode", "--model", dir)
		if test.want != "" {
			r.fails(t, dir, test.want)
		} else if r.code != 0 {
			t.Errorf("%s with %s rows: exit code %d, %s", test.file, test.rows, r.code, r.stderr)
		}
	}
}
