package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// Text, shards of it, and the same text as compressed JSON lines train the same model; shards bring their vocabulary.
func TestPretrainOnShards(t *testing.T) {
	p := newProject(t)
	var records []byte
	for document := range strings.SplitSeq(strings.TrimSpace(text(60)), "\n\n") {
		record, err := json.Marshal(map[string]string{"body": document})
		if err != nil {
			t.Fatal(err)
		}
		records = append(append(records, record...), '\n')
	}
	jsonLines := p.path("corpus.jsonl")
	write(t, jsonLines, string(records))

	must(t, "prepare", p.corpus, "--tokenizer", p.vocabulary, "--out", p.path("shards"))
	summary := must(t, "prepare", jsonLines, "--text-field", "body", "--tokenizer", p.vocabulary, "--out", p.path("shards-json"), "--json")
	var counts struct{ Documents, Tokens, Shards int }
	if err := json.Unmarshal([]byte(summary), &counts); err != nil || counts.Documents < 10 || counts.Tokens < 100 || counts.Shards != 1 {
		t.Errorf("summary %s: %+v, %v", summary, counts, err)
	}
	options := []string{"--config", p.config, "--sequence-length", "24", "--batch", "8", "--steps", "3"}
	train := func(run string, input ...string) string {
		must(t, append(append([]string{"pretrain"}, input...), append(options, "--out", p.path(run))...)...)
		weights, err := os.ReadFile(p.path(filepath.Join(run, "model", models.WeightsFile)))
		if err != nil {
			t.Fatal(err)
		}
		return string(weights)
	}
	want := train("text", p.corpus, "--tokenizer", p.vocabulary)
	if train("run-shards", p.path("shards")) != want {
		t.Error("shards train another model than the text")
	}
	if train("run-json", p.path("shards-json"), "--tokenizer", p.vocabulary) != want {
		t.Error("shards of JSON lines train another model than the text")
	}
	must(t, "eval", p.path("run-shards/model"), "--corpus", p.path("shards"), "--run", p.path("text"))
}

func TestPrepareMisuse(t *testing.T) {
	p := newProject(t)
	shards := p.path("shards")
	must(t, "prepare", p.corpus, "--tokenizer", p.vocabulary, "--out", shards)
	albert(t, "", "prepare", p.corpus, "--tokenizer", p.vocabulary, "--out", shards, "--deduplicate").fails(t, "deduplicate is true", "another directory")
	bad := p.path("bad.jsonl")
	write(t, bad, "{\"text\": \"fine\"}\n{\"text\": \n")
	albert(t, "", "prepare", bad, "--tokenizer", p.vocabulary, "--out", p.path("other")).fails(t, "bad.jsonl", "line 2")

	other := p.path("other-vocabulary")
	must(t, "tokenizer", "train", p.corpus, "--vocab-size", "151", "--out", other)
	run := []string{"--sequence-length", "24", "--steps", "2", "--out", p.path("run")}
	albert(t, "", append([]string{"pretrain", shards, "--tokenizer", other}, run...)...).fails(t, "another tokenizer")
	for _, arguments := range [][]string{{"pretrain", shards, p.corpus}, {"pretrain", shards, "--format", "prose"}} {
		if r := albert(t, "", append(arguments, run...)...); r.code != exitUsage {
			t.Errorf("%v: exit code %d, want %d: %s", arguments, r.code, exitUsage, r.stderr)
		}
	}
	shard := filepath.Join(shards, "shard-00000.parquet")
	if err := os.Truncate(shard, 1000); err != nil {
		t.Fatal(err)
	}
	albert(t, "", append([]string{"pretrain", shards}, run...)...).fails(t, shard, "damaged")
	if _, err := os.Stat(p.path("run")); err == nil {
		t.Error("something was left behind")
	}
}

// Flags that are wrong, or would do nothing, are mistakes of usage that one sentence names.
func TestTextFlagsMisuse(t *testing.T) {
	p := newProject(t)
	must(t, p.pretrain("run", "--steps", "2")...)
	prepare := []string{"prepare", p.corpus, "--tokenizer", p.vocabulary, "--out", p.path("shards")}
	train := []string{"tokenizer", "train", p.corpus, "--vocab-size", "150", "--out", p.path("other")}
	for _, c := range []struct {
		command []string
		flags   []string
		want    string
	}{
		{prepare, []string{"--format", "foo"}, `format is "foo", want lines or prose`},
		{prepare, []string{"--format", "prose", "--documents", "page"}, `documents is "page"`},
		{prepare, []string{"--documents", "heading"}, "--format is lines"},
		{prepare, []string{"--text-field", ""}, "text-field is empty"},
		{prepare, []string{"--text-field", "body"}, "no input is a .jsonl"},
		{prepare, []string{"--threads", "-1"}, "threads is -1, want 0 or more"},
		{prepare, []string{"--shard-tokens", "0"}, "shard-tokens is 0"},
		{prepare, []string{"--out", ""}, "--out is empty"},
		{prepare, []string{"--tokenizer", ""}, "--tokenizer is empty"},
		{train, []string{"--text-field", "body"}, "no input is a .jsonl"},
		{train, []string{"--documents", "heading"}, "--format is lines"},
		{train, []string{"--type", "wordpiece", "--format", "foo"}, `format is "foo"`},
		{train, []string{"--out", ""}, "--out is empty"},
		{p.pretrain("new", "--steps", "2"), []string{"--text-field", "body"}, "no input is a .jsonl"},
		{p.pretrain("new", "--steps", "2"), []string{"--threads", "-1"}, "threads is -1, want 0 or more"},
		{[]string{"pretrain", p.corpus, "--out", p.path("run"), "--resume"}, []string{"--tokenizer", p.vocabulary}, "--tokenizer is for a new run"},
		{[]string{"pretrain", p.corpus, "--out", p.path("run"), "--resume"}, []string{"--preset", "albert-tiny"}, "--preset is for a new run"},
	} {
		r := albert(t, "", slices.Concat(c.command, c.flags)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s %q: exit code %d, %q; want %d and %q", c.command[0], c.flags, r.code, r.stderr, exitUsage, c.want)
		}
	}
	for _, name := range []string{"shards", "other", "new"} {
		if _, err := os.Stat(p.path(name)); err == nil {
			t.Errorf("%s was left behind", name)
		}
	}
}

// A vocabulary is trained from the same text as a model: prose in a field of JSON lines gives what its sentences give.
func TestTokenizerTrainReadsText(t *testing.T) {
	p := newProject(t)
	lines := strings.ReplaceAll(text(60), "end.", "End.")
	var records []byte
	for document := range strings.SplitSeq(strings.TrimSpace(lines), "\n\n") {
		record, err := json.Marshal(map[string]string{"body": strings.ReplaceAll(document, "\n", "\n\n")})
		if err != nil {
			t.Fatal(err)
		}
		records = append(append(records, record...), '\n')
	}
	write(t, p.path("lines.txt"), lines)
	write(t, p.path("records.jsonl"), string(records))
	for kind, file := range map[string]string{"unigram": "spiece.model", "wordpiece": "vocab.txt"} {
		train := func(out string, arguments ...string) string {
			must(t, slices.Concat([]string{"tokenizer", "train", "--type", kind, "--vocab-size", "100", "--out", p.path(out)}, arguments)...)
			content, err := os.ReadFile(filepath.Join(p.path(out), file))
			if err != nil {
				t.Fatal(err)
			}
			return string(content)
		}
		if train(kind, p.path("lines.txt")) != train(kind+"-records", p.path("records.jsonl"), "--format", "prose", "--text-field", "body") {
			t.Errorf("%s: prose in JSON lines gives another vocabulary than its sentences", kind)
		}
	}
}

// A disk that becomes full while a shard is written is one sentence that says so once; nothing half-written is left.
func TestPrepareOnAFullDisk(t *testing.T) {
	p := newProject(t)
	disk := p.path("disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, p.corpus, text(6000))
	script := `mount -t tmpfs -o size=400k tmpfs "$1" && "$2" prepare "$3" --tokenizer "$4" --out "$1/shards"; code=$?; ls -A "$1/shards"; exit $code`
	r := start(t, exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", disk, program, p.corpus, p.vocabulary), "")
	if strings.Contains(r.stderr, "unshare") || strings.Contains(r.stderr, "mount") {
		t.Skipf("needs a mount namespace: %s", r.stderr)
	}
	r.fails(t, "shard-00000.parquet", "no space left on device")
	if n := strings.Count(r.stderr, "no space left"); n != 1 {
		t.Errorf("it says so %d times: %s", n, r.stderr)
	}
	if r.stdout != "manifest.json\ntokenizer\n" {
		t.Errorf("left behind: %q", r.stdout)
	}
}
