package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
)

// What is no checkpoint: vocabularies, by their directory and by their file, and shards.
func TestInspectTokenizers(t *testing.T) {
	p := newProject(t)
	shards := p.path("shards")
	must(t, "prepare", p.corpus, "--tokenizer", p.vocabulary, "--out", shards)
	const testdata = "../../tokenizer/testdata/"
	for path, want := range map[string][]string{
		p.vocabulary:                     {"SentencePiece unigram of 150 pieces, because there is a spiece.model"},
		p.vocabulary + "/spiece.model":   {"SentencePiece unigram of 150 pieces, because of the end of the file's name"},
		testdata + "wordpiece":           {"WordPiece of ", "because there is a vocab.txt and no spiece.model"},
		testdata + "wordpiece/vocab.txt": {"WordPiece of ", "because of the end of the file's name", "strip accents"},
		testdata + "json/unigram.json":   {"run as the library tokenizers does"},
		shards:                           {"1 shards of 1 inputs, complete", " documents, ", " tokens, ", "of 150 pieces"},
	} {
		out := must(t, "inspect", path)
		for _, words := range want {
			if !strings.Contains(out, words) {
				t.Errorf("%s: %q does not say %q", path, out, words)
			}
		}
	}
	albert(t, "", "inspect", t.TempDir()).fails(t, "config.json")
}

// A model with more rows than its vocabulary has pieces.
func TestInspectPadding(t *testing.T) {
	p := newProject(t)
	config, err := models.ParseConfig([]byte(strings.Replace(tinyConfig, `"vocab_size": 150`, `"vocab_size": 152`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	dir := p.path("padded")
	if err := models.WriteDirectory(dir, models.NewWeights(config).WriteFiles); err != nil {
		t.Fatal(err)
	}
	vocabulary, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "spiece.model"), string(vocabulary))
	if out := must(t, "inspect", dir); !strings.Contains(out, "the model has 2 rows without a piece: padding") {
		t.Errorf("inspect says %q", out)
	}
}
