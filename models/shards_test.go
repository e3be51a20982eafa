package models

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeTinyShards writes a checkpoint of several shards and returns its directory.
func writeTinyShards(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkpoint")
	if err := WriteDirectory(dir, func(d string) error { return tinyWeights().WriteShards(d, 10000) }); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestShardsRoundTrip(t *testing.T) {
	dir := writeTinyShards(t)
	shards, _ := filepath.Glob(filepath.Join(dir, "model-0*-of-0*.safetensors"))
	if len(shards) < 3 {
		t.Fatalf("got shards %v, want at least 3", shards)
	}
	for _, shard := range shards {
		tensors, err := ReadSafetensors(shard)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, tensor := range tensors {
			size += len(tensor.Bytes)
		}
		if size == 0 || size > 10000 {
			t.Errorf("%s has %d bytes of tensors, want 1 to 10000", shard, size)
		}
	}
	got, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := tinyWeights(); got.Config != want.Config || !slices.Equal(got.Data, want.Data) {
		t.Error("a checkpoint that was written in shards and read is not the same")
	}
	one := filepath.Join(t.TempDir(), "one")
	if err := WriteDirectory(one, func(d string) error { return tinyWeights().WriteShards(d, 1<<30) }); err != nil {
		t.Fatal(err)
	}
	expectOnly(t, one, ConfigFile, WeightsFile)
}

func TestReadShardsRefuses(t *testing.T) {
	first := func(dir string) string {
		shards, _ := filepath.Glob(filepath.Join(dir, "model-00001-of-*.safetensors"))
		return shards[0]
	}
	index := func(text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { writeFile(t, filepath.Join(dir, IndexFile), []byte(text)) }
	}
	rewrite := func(old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, IndexFile)
			text, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(text, []byte(old)) {
				t.Fatalf("%s has no %s, error %v", path, old, err)
			}
			writeFile(t, path, bytes.Replace(text, []byte(old), []byte(new), 1))
		}
	}
	for _, test := range []struct {
		name, want string
		damage     func(*testing.T, string)
	}{
		{"a shard that is missing", "no such file", func(t *testing.T, dir string) { os.Remove(first(dir)) }},
		{"a shard that is truncated", "the file is truncated", func(t *testing.T, dir string) { os.Truncate(first(dir), 9000) }},
		{"no JSON", "not an index of shards", index("{")},
		{"an empty index", "weight_map names no tensor", index("{}")},
		{"a file elsewhere", `weight_map names the file "../model.safetensors"`, index(`{"weight_map": {"a": "../model.safetensors"}}`)},
		{"a file of another kind", `weight_map names the file "model.bin"`, index(`{"weight_map": {"a": "model.bin"}}`)},
		{"a tensor that is not there", "tensor zzz is not in model-00001-of-",
			rewrite(`"weight_map": {`, `"weight_map": {"zzz": "`+filepath.Base(first(writeTinyShards(t)))+`",`)},
		{"a tensor that is not in the index", `tensor albert.pooler.bias is in`, rewrite(`"albert.pooler.bias"`, `"albert.pooler.bios"`)},
	} {
		dir := writeTinyShards(t)
		test.damage(t, dir)
		_, err := ReadCheckpoint(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got error %v, want one that names the directory and says %q", test.name, err, test.want)
		}
	}
}

// A pickle is not read, and the command that converts it is said.
func TestReadCheckpointRefusesPickles(t *testing.T) {
	dir := writeTiny(t)
	os.Rename(filepath.Join(dir, WeightsFile), filepath.Join(dir, "pytorch_model.bin"))
	_, err := ReadCheckpoint(dir)
	if err == nil || !strings.Contains(err.Error(), "its weights are pickles (pytorch_model.bin)") ||
		!strings.Contains(err.Error(), `python3 -c "import sys,glob,torch`) || !strings.HasSuffix(err.Error(), dir) {
		t.Errorf("got error %v, want one that gives the command", err)
	}
}
