package main

import (
	"encoding/json"
	"os"
	"path/filepath"
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
