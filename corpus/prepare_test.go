package corpus_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"goalbert/corpus"
	"goalbert/tokenizer"
)

// madeUp returns documents of sentences, the same ones every time.
func madeUp(documents int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 1))
	syllables := []string{"ka", "to", "ri", "men", "sal", "ver", "do", "pin", "lu", "est", "gra", "ing"}
	var b strings.Builder
	for range documents {
		for range 1 + random.IntN(6) {
			for range 1 + random.IntN(9) {
				for range 1 + random.IntN(3) {
					b.WriteString(syllables[random.IntN(len(syllables))])
				}
				b.WriteString(" ")
			}
			b.WriteString("end.\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// vocabulary is a real one, trained once.
var vocabulary = sync.OnceValues(func() (tokenizer.Tokenizer, error) { return trainVocabulary(120) })

func trainVocabulary(size int) (tokenizer.Tokenizer, error) {
	lines := func(yield func(string, error) bool) {
		for line := range strings.Lines(madeUp(300, 1)) {
			if !yield(strings.TrimSpace(line), nil) {
				return
			}
		}
	}
	t, _, err := tokenizer.Train(context.Background(), lines, tokenizer.DefaultTrainOptions(size))
	return t, err
}

func testVocabulary(t *testing.T) tokenizer.Tokenizer {
	t.Helper()
	v, err := vocabulary()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// smallShards end after a few documents.
func smallShards() corpus.PrepareOptions {
	o := corpus.DefaultPrepareOptions()
	o.BlockTokens, o.ShardTokens, o.Threads = 300, 1000, 2
	return o
}

func prepare(t *testing.T, dir string, o corpus.PrepareOptions, paths ...string) *corpus.Manifest {
	t.Helper()
	m, err := corpus.Prepare(t.Context(), testVocabulary(t), paths, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// contents returns the files of a directory by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// documents returns all documents of a corpus, each its sentences.
func documents(t *testing.T, b corpus.Blocks) [][][]int32 {
	t.Helper()
	var all [][][]int32
	for i := range b.Len() {
		block, err := b.Block(i)
		if err != nil {
			t.Fatal(err)
		}
		if block.Len() != b.Documents(i) {
			t.Errorf("block %d has %d documents, says %d", i, block.Len(), b.Documents(i))
		}
		for d := range block.Len() {
			var sentences [][]int32
			for s := range block.Sentences(d) {
				sentences = append(sentences, slices.Clone(block.Sentence(d, s)))
			}
			all = append(all, sentences)
		}
	}
	return all
}

// The shards do not depend on the number of threads.
func TestPrepareThreads(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(2000, 2)})
	var want map[string]string
	for _, threads := range []int{1, 2, 5} {
		o, dir := smallShards(), filepath.Join(t.TempDir(), "shards")
		o.Threads, o.Deduplicate, o.BlockTokens, o.ShardTokens = threads, true, 10000, 30000
		prepare(t, dir, o, in)
		got := contents(t, dir)
		if want == nil {
			want = got
		}
		if !maps.Equal(got, want) {
			t.Errorf("%d threads give other shards than 1", threads)
		}
	}
}

// Interrupted anywhere, and left with a half-written file, the work goes on to the same shards.
func TestPrepareGoesOn(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(100, 2) + madeUp(30, 2), "b.jsonl": `{"text": "ka to."}` + "\n" + `{"text": "ka to."}`,
		"c.txt": madeUp(60, 2) + madeUp(60, 4)})
	o := smallShards()
	o.Deduplicate = true
	whole := filepath.Join(t.TempDir(), "whole")
	m := prepare(t, whole, o, in)
	want := contents(t, whole)
	if m.Counts.Repeated != 91 {
		t.Errorf("%d repeated documents, want 30 + 1 + 60", m.Counts.Repeated)
	}
	for stop := 1; stop < 2*len(m.Shards); stop += 2 {
		dir := filepath.Join(t.TempDir(), "shards")
		ctx, cancel := context.WithCancel(t.Context())
		blocks := 0
		o.Progress = func(corpus.Counts) {
			if blocks++; blocks == stop {
				cancel()
			}
		}
		if _, err := corpus.Prepare(ctx, testVocabulary(t), []string{in}, dir, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d blocks: got %v, want context.Canceled", stop, err)
		}
		cancel()
		for name := range contents(t, dir) {
			if strings.Contains(name, ".partial-") {
				t.Errorf("stopped after %d blocks: %s was left", stop, name)
			}
		}
		if _, err := corpus.OpenShards(dir); err == nil || !strings.Contains(err.Error(), "not complete") {
			t.Errorf("incomplete shards: got %v", err)
		}
		// What a kill leaves: a half-written file, and a shard that the manifest does not know.
		for _, name := range []string{".shard-00001.parquet.partial-123", fmt.Sprintf("shard-%05d.parquet", len(m.Shards)-1)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		o.Progress = nil
		prepare(t, dir, o, in)
		if got := contents(t, dir); !maps.Equal(got, want) {
			t.Errorf("stopped after %d blocks: the shards are others", stop)
		}
	}
	// Once complete, nothing is done.
	before, err := os.Stat(filepath.Join(whole, corpus.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, whole, o, in)
	if after, err := os.Stat(filepath.Join(whole, corpus.ManifestFile)); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("a complete directory was written anew (%v)", err)
	}
}

// A corrected input that was not read yet may take the place of a bad one.
func TestPrepareAfterABadInput(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(200, 2), "b.txt": "fine\n\xff\n"})
	dir := filepath.Join(t.TempDir(), "shards")
	_, err := corpus.Prepare(t.Context(), testVocabulary(t), []string{in}, dir, smallShards())
	if err == nil || !strings.Contains(err.Error(), filepath.Join(in, "b.txt")+": line 2: byte 1") {
		t.Fatalf("got %v, want an error that names file and line", err)
	}
	if err := os.WriteFile(filepath.Join(in, "b.txt"), []byte("fine\nfiner\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if m := prepare(t, dir, smallShards(), in); m.Counts.Documents != 201 {
		t.Errorf("%d documents, want 201", m.Counts.Documents)
	}
}

func TestPrepareRefuses(t *testing.T) {
	v := testVocabulary(t)
	in := writeFiles(t, map[string]string{"a.txt": madeUp(100, 2)})
	file := filepath.Join(in, "a.txt")
	dir := filepath.Join(t.TempDir(), "shards")
	prepare(t, dir, smallShards(), in)
	another, err := trainVocabulary(121)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what, want string, with tokenizer.Tokenizer, dir string, change func(*corpus.PrepareOptions), paths ...string) {
		t.Helper()
		o := smallShards()
		change(&o)
		if _, err := corpus.Prepare(t.Context(), with, paths, dir, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that says %q", what, err, want)
		}
	}
	same := func(*corpus.PrepareOptions) {}
	refused("another format", "format is \"prose\", it was begun with \"lines\"", v, dir,
		func(o *corpus.PrepareOptions) { o.Format = corpus.Prose }, in)
	refused("deduplication", "deduplicate is true", v, dir, func(o *corpus.PrepareOptions) { o.Deduplicate = true }, in)
	refused("other shards", "shard-tokens is 7", v, dir, func(o *corpus.PrepareOptions) { o.ShardTokens = 7 }, in)
	refused("more files", "got 2 files", v, dir, same, in, file)
	refused("another tokenizer", "another tokenizer", another, dir, same, in)
	refused("a directory of something else", "holds a.txt", v, in, same, in)
	refused("no threads", "threads is 0", v, dir, func(o *corpus.PrepareOptions) { o.Threads = 0 }, in)
	refused("no such file", "no such file", v, dir, same, filepath.Join(in, "none"))
	empty := filepath.Join(writeFiles(t, map[string]string{"empty.txt": "\n \n"}), "empty.txt")
	refused("nothing", "empty", v, filepath.Join(t.TempDir(), "new"), same, empty)
	if err := os.WriteFile(file, []byte(madeUp(100, 7)), 0o666); err != nil {
		t.Fatal(err)
	}
	refused("another text", "input 1 is", v, dir, same, in)
}

// Files of others are left alone, whatever they are called.
func TestPrepareRemovesOnlyItsOwn(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(100, 2)})
	others := []string{".thesis.doc.partial-1", ".shard-00001.parquet.partial-x", ".my.manifest.json.partial-1"}
	dir := t.TempDir()
	for _, name := range append(others, ".manifest.json.partial-12") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err := corpus.Prepare(t.Context(), testVocabulary(t), []string{in}, dir, smallShards())
	if err == nil || !strings.Contains(err.Error(), "is no directory of shards") {
		t.Errorf("a directory of something else: got %v", err)
	}
	if got := contents(t, dir); len(got) != 4 {
		t.Errorf("refused, it has left %v", slices.Sorted(maps.Keys(got)))
	}
	for _, name := range others {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	prepare(t, dir, smallShards(), in) // what a kill leaves of the first manifest is no obstacle
	for _, name := range append(others, ".shard-00001.parquet.partial-12") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	prepare(t, dir, smallShards(), in)
	got := contents(t, dir)
	for name := range got {
		if strings.Contains(name, ".partial-12") {
			t.Errorf("%s was left", name)
		}
	}
	for _, name := range others {
		if got["/"+name] != "x" {
			t.Errorf("%s is gone", name)
		}
	}
}

// What was prepared is no input, neither of the same work nor of another.
func TestPrepareBelowItsInput(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(20, 2), "shards/.keep": ""})
	if err := os.Remove(filepath.Join(in, "shards", ".keep")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shards", "again", "shards"} {
		dir := filepath.Join(in, name)
		if m := prepare(t, dir, smallShards(), in); len(m.Inputs) != 1 {
			t.Errorf("%s: read %v, want a.txt alone", name, m.Inputs)
		}
		if err := os.WriteFile(filepath.Join(dir, corpus.TokenizerDirectory, "vocab.txt"), []byte("a\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := corpus.Files(filepath.Join(in, "shards")); err == nil || !strings.Contains(err.Error(), "is a directory of shards") {
		t.Errorf("shards as text: got %v", err)
	}
}

// Work that failed before the first shard can begin anew with other options and another tokenizer.
func TestPrepareBeginsAnew(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.jsonl": `{"body": "ka to. Do pin."}`})
	dir := filepath.Join(t.TempDir(), "shards")
	another, err := trainVocabulary(121)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := corpus.Prepare(t.Context(), another, []string{in}, dir, smallShards()); err == nil {
		t.Fatal("a missing field: got no error")
	}
	o := smallShards()
	o.TextField, o.Format, o.Deduplicate = "body", corpus.Prose, true
	prepare(t, dir, o, in)
	whole := filepath.Join(t.TempDir(), "whole")
	prepare(t, whole, o, in)
	if !maps.Equal(contents(t, dir), contents(t, whole)) {
		t.Error("begun anew, the shards are others")
	}
}

// Two preparations of one directory at a time are one too many.
func TestPrepareAlone(t *testing.T) {
	in := writeFiles(t, map[string]string{"a.txt": madeUp(200, 2)})
	dir := filepath.Join(t.TempDir(), "shards")
	o := smallShards()
	var second error
	o.Progress = func(corpus.Counts) {
		_, second = corpus.Prepare(t.Context(), testVocabulary(t), []string{in}, dir, smallShards())
	}
	prepare(t, dir, o, in)
	if second == nil || !strings.Contains(second.Error(), "another process works on "+dir) {
		t.Errorf("the second: got %v", second)
	}
	prepare(t, dir, smallShards(), in)
}

// Documents without ids are not counted, as repeated ones neither, so that going on after a shard gives the same bytes.
func TestPrepareWithoutIDs(t *testing.T) {
	const blank = "\u200b\n\n"
	in := writeFiles(t, map[string]string{"a.txt": blank + madeUp(60, 2) + blank + madeUp(60, 3) + blank + madeUp(60, 2) + blank + blank})
	o := smallShards()
	o.Deduplicate = true
	whole := filepath.Join(t.TempDir(), "whole")
	m := prepare(t, whole, o, in)
	if m.Counts.Repeated != 60 || m.Counts.Documents != 120 {
		t.Errorf("%d documents, %d repeated, want 120 and 60", m.Counts.Documents, m.Counts.Repeated)
	}
	dir := filepath.Join(t.TempDir(), "shards")
	ctx, cancel := context.WithCancel(t.Context())
	blocks := 0
	o.Progress = func(corpus.Counts) {
		if blocks++; blocks == 5 {
			cancel()
		}
	}
	if _, err := corpus.Prepare(ctx, testVocabulary(t), []string{in}, dir, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	o.Progress = nil
	if again := prepare(t, dir, o, in); len(again.Shards) < 2 || !maps.Equal(contents(t, dir), contents(t, whole)) {
		t.Errorf("stopped and gone on, the shards are others: %+v, want %+v", again.Counts, m.Counts)
	}
}

// Lines of code that are left out are counted, wherever they stand and wherever the work was interrupted.
func TestPrepareCountsCode(t *testing.T) {
	const code = "```\nx := 1\n```\n\n"
	in := writeFiles(t, map[string]string{"a.md": code + madeUp(60, 2) + code, "b.md": madeUp(60, 2) + code, "c.md": code + "ka to.\n\n" + code, "d.md": code})
	o := smallShards()
	o.Format, o.Documents, o.Deduplicate = corpus.Prose, corpus.ByParagraph, true
	whole := filepath.Join(t.TempDir(), "whole")
	m := prepare(t, whole, o, in)
	if m.Counts.CodeLines != 18 {
		t.Errorf("%d lines of code, want 18", m.Counts.CodeLines)
	}
	for stop := 1; stop < 8; stop++ {
		dir := filepath.Join(t.TempDir(), "shards")
		ctx, cancel := context.WithCancel(t.Context())
		blocks := 0
		o.Progress = func(corpus.Counts) {
			if blocks++; blocks == stop {
				cancel()
			}
		}
		corpus.Prepare(ctx, testVocabulary(t), []string{in}, dir, o)
		cancel()
		o.Progress = nil
		if again := prepare(t, dir, o, in); !maps.Equal(contents(t, dir), contents(t, whole)) {
			t.Errorf("stopped after %d blocks and gone on: %+v, want %+v", stop, again.Counts, m.Counts)
		}
	}
}
