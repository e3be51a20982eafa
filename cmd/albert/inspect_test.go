package main

import (
	"strings"
	"testing"
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
