package corpus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"goalbert/corpus"
	"goalbert/tokenizer"
)

// Shards hold what tokenizing the text in memory gives, in the same blocks, and the manifest counts it.
func TestShardsAreTheText(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(150, 2), "b.txt.gz": madeUp(150, 3) + "\n\u2603 do.\n", "c.md": "\n"})
	dir := filepath.Join(t.TempDir(), "shards")
	m := prepare(t, dir, smallShards(), in)
	shards, err := corpus.OpenShards(dir)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := corpus.Tokenize(t.Context(), corpus.Read(in), testVocabulary(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	memory := tokens.Blocks(300)
	if got, want := documents(t, shards), documents(t, memory); !reflect.DeepEqual(got, want) {
		t.Errorf("%d documents of shards are not the %d of the text", len(got), len(want))
	}
	if shards.Len() != memory.Len() || len(m.Shards) < 5 {
		t.Fatalf("%d blocks in %d shards, want %d blocks in some shards", shards.Len(), len(m.Shards), memory.Len())
	}
	for i := range memory.Len() {
		if shards.Documents(i) != memory.Documents(i) {
			t.Errorf("block %d has %d documents, want %d", i, shards.Documents(i), memory.Documents(i))
		}
	}
	c := m.Counts
	if c.Documents != int64(tokens.Len()) || c.Sentences != int64(len(tokens.SentenceStarts)-1) || c.Tokens != int64(len(tokens.IDs)) ||
		c.UnknownTokens != 1 || c.Cut != 0 || c.Repeated != 0 {
		t.Errorf("counts %+v of %d documents, %d sentences, %d tokens, one of them unknown", c, tokens.Len(),
			len(tokens.SentenceStarts)-1, len(tokens.IDs))
	}
	var histogram corpus.Histogram = make([]int64, len(c.SentenceLengths))
	for i, start := range tokens.SentenceStarts[1:] {
		bin := 0
		for length := start - tokens.SentenceStarts[i]; length > 1; length /= 2 {
			bin++
		}
		histogram[bin]++
	}
	if !slices.Equal(histogram, c.SentenceLengths) {
		t.Errorf("sentence lengths %v, want %v", c.SentenceLengths, histogram)
	}
	if err := shards.CheckTokenizer(testVocabulary(t)); err != nil {
		t.Error(err)
	}
	saved, err := tokenizer.Open(filepath.Join(dir, corpus.TokenizerDirectory))
	if err != nil {
		t.Fatal(err)
	}
	if err := shards.CheckTokenizer(saved); err != nil {
		t.Error(err)
	}
	if _, err := shards.Block(shards.Len()); err == nil {
		t.Error("a block beyond the last: got no error")
	}
}

// A damaged shard, or manifest, is refused by name.
func TestDamagedShards(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(200, 2)})
	dir := filepath.Join(t.TempDir(), "shards")
	m := prepare(t, dir, smallShards(), in)
	damaged := func(name string, change func([]byte) []byte, want string) {
		t.Helper()
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(bytes.Clone(whole)), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := corpus.OpenShards(dir); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that names it and says %q", name, err, want)
		}
		if err := os.WriteFile(path, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range m.Shards[:2] {
		damaged(s.File, func(b []byte) []byte { return b[:len(b)-1] }, "bytes, want")
		damaged(s.File, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, "SHA-256")
	}
	damaged(corpus.ManifestFile, func(b []byte) []byte { return b[:len(b)/2] }, "damaged")
	damaged(corpus.ManifestFile, func(b []byte) []byte { return bytes.Replace(b, []byte("shards 1"), []byte("shards 0"), 1) }, "format")
	if err := os.Remove(filepath.Join(dir, m.Shards[1].File)); err != nil {
		t.Fatal(err)
	}
	if _, err := corpus.OpenShards(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing shard: got %v, want fs.ErrNotExist", err)
	}
	if _, err := corpus.OpenShards(in); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no shards: got %v, want fs.ErrNotExist", err)
	}
}

// The manifest is JSON with the names that are documented.
func TestManifestNames(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": "ka to.\n"})
	dir := filepath.Join(t.TempDir(), "shards")
	prepare(t, dir, smallShards(), in)
	var fields map[string]any
	if err := json.Unmarshal([]byte(contents(t, dir)["/manifest.json"]), &fields); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(fields))
	want := []string{"complete", "counts", "format", "inputs", "next", "options", "shards", "tokenizer"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := fields["counts"].(map[string]any)["documents"]; n != 1.0 {
		t.Errorf("%v documents, want 1", n)
	}
}

// How fast the blocks of shards are read, on one core.
func BenchmarkBlock(b *testing.B) {
	v, err := vocabulary()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	in := filepath.Join(dir, "in.txt")
	if err := os.WriteFile(in, []byte(madeUp(30000, 5)), 0o666); err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(dir, "shards")
	if _, err := corpus.Prepare(b.Context(), v, []string{in}, out, corpus.DefaultPrepareOptions()); err != nil {
		b.Fatal(err)
	}
	shards, err := corpus.OpenShards(out)
	if err != nil {
		b.Fatal(err)
	}
	tokens := 0
	for b.Loop() {
		block, err := shards.Block(0)
		if err != nil {
			b.Fatal(err)
		}
		tokens += len(block.IDs)
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}

// A directory of shards is known by how its manifest begins, and nobody else's manifest.json is touched.
func TestIsShards(t *testing.T) {
	dir := writeFiles(t, map[string]string{"manifest.json": `{"name": "an application"}`, "a.txt": "ka to.\n"})
	if corpus.IsShards(dir) {
		t.Error("the manifest of an application makes a directory of shards")
	}
	if got, err := all(t, dir); err != nil || len(got) != 1 {
		t.Errorf("got %q, %v, want its text", got, err)
	}
	_, err := corpus.Prepare(t.Context(), testVocabulary(t), []string{dir}, dir, smallShards())
	if err == nil || !strings.Contains(err.Error(), "is no directory of shards") {
		t.Errorf("prepared into it: got %v", err)
	}
}
