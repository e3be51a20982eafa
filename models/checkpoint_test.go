package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func tinyWeights() *Weights {
	w := NewWeights(tinyConfig())
	w.Initialize(3)
	return w
}

// writeTiny writes a checkpoint and returns its directory.
func writeTiny(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkpoint")
	if err := WriteDirectory(dir, tinyWeights().WriteFiles); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCheckpointRoundTrip(t *testing.T) {
	dir := writeTiny(t)
	got, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := tinyWeights()
	if got.Config != want.Config || !slices.Equal(got.Data, want.Data) {
		t.Error("a checkpoint that was written and read is not the same")
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := WriteDirectory(again, got.WriteFiles); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ConfigFile, WeightsFile} {
		a, _ := os.ReadFile(filepath.Join(dir, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s: the same weights gave other bytes", name)
		}
	}
}

func TestReadCheckpointRefuses(t *testing.T) {
	const query = "albert.encoder.albert_layer_groups.0.albert_layers.1.attention.query.weight"
	rewrite := func(change func([]NamedTensor) []NamedTensor) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			var out bytes.Buffer
			if err := WriteSafetensors(&out, change(tinyWeights().Tensors())); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, WeightsFile), out.Bytes())
		}
	}
	truncate := func(name string, keep int64) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, name), keep); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name, want string
		damage     func(*testing.T, string)
	}{
		{"no weights", "it has no weights, neither model.safetensors nor model.safetensors.index.json", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, WeightsFile)) }},
		{"no config", "no such file", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, ConfigFile)) }},
		{"truncated config", "not a JSON object", truncate(ConfigFile, 20)},
		{"empty file", "too short", truncate(WeightsFile, 0)},
		{"truncated header", "the file is truncated", truncate(WeightsFile, 100)},
		{"truncated data", "the file is truncated or damaged", truncate(WeightsFile, 20000)},
		{"missing tensor", "tensor " + query + " is missing, want shape [16 16]", rewrite(func(all []NamedTensor) []NamedTensor {
			return slices.DeleteFunc(all, func(t NamedTensor) bool { return t.Name == query })
		})},
		{"extra tensor", "tensor lm_head.weight is not part of an AlbertForPreTraining", rewrite(func(all []NamedTensor) []NamedTensor {
			return append(all, NamedTensor{Name: "lm_head.weight", Shape: []int{1}, Data: []float32{1}})
		})},
		{"misshapen tensor", "tensor " + query + " has shape [256], want [16 16]", rewrite(func(all []NamedTensor) []NamedTensor {
			for i := range all {
				if all[i].Name == query {
					all[i].Shape = []int{256}
				}
			}
			return all
		})},
		{"untied decoder", "predictions.decoder.weight differs from albert.embeddings.word_embeddings.weight", rewrite(func(all []NamedTensor) []NamedTensor {
			return append(all, NamedTensor{Name: "predictions.decoder.weight", Shape: []int{50, 8}, Data: make([]float32, 400)})
		})},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := writeTiny(t)
			test.damage(t, dir)
			_, err := ReadCheckpoint(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one that says %q", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}

// Files of other writers hold tied twins, and position ids of old.
func TestReadCheckpointAcceptsTwins(t *testing.T) {
	w := tinyWeights()
	extra := append(w.Tensors(),
		NamedTensor{Name: "predictions.decoder.weight", Shape: []int{50, 8}, Data: w.Tensor(w.Parameters.Embeddings.Word)},
		NamedTensor{Name: "predictions.decoder.bias", Shape: []int{50}, Data: w.Tensor(w.Parameters.Predictions.Bias)},
		NamedTensor{Name: "albert.embeddings.position_ids", Shape: []int{1}, Data: []float32{0}})
	var out bytes.Buffer
	if err := WriteSafetensors(&out, extra); err != nil {
		t.Fatal(err)
	}
	dir := writeTiny(t)
	writeFile(t, filepath.Join(dir, WeightsFile), out.Bytes())
	if _, err := ReadCheckpoint(dir); err != nil {
		t.Error(err)
	}
}

func TestReadSafetensorsRefusesHostileHeaders(t *testing.T) {
	entry := func(dtype string, shape []int, begin, end int64) map[string]any {
		return map[string]any{"dtype": dtype, "shape": shape, "data_offsets": []int64{begin, end}}
	}
	for _, test := range []struct {
		name, want string
		header     any
		data       int
	}{
		{"huge shape", "impossible shape", map[string]any{"a": entry("F32", []int{1 << 40, 1 << 40}, 0, 4)}, 4},
		{"negative shape", "impossible shape", map[string]any{"a": entry("F32", []int{-1}, 0, 4)}, 4},
		{"offsets disagree", "takes 8 bytes, its offsets say [0 4]", map[string]any{"a": entry("F32", []int{2}, 0, 4)}, 4},
		{"offsets past the end", "tensors take 8 bytes, 4 are there", map[string]any{"a": entry("F32", []int{2}, 0, 8)}, 4},
		{"overlap", "overlap or leave a gap", map[string]any{"a": entry("F32", []int{2}, 0, 8), "b": entry("F32", []int{2}, 4, 12)}, 12},
		{"gap", "overlap or leave a gap", map[string]any{"a": entry("F32", []int{1}, 4, 8)}, 8},
		{"unknown type", `unknown type "F31"`, map[string]any{"a": entry("F31", []int{1}, 0, 4)}, 4},
		{"not an object", "header is not JSON", []int{1}, 0},
	} {
		text, _ := json.Marshal(test.header)
		file := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
		file = append(append(file, text...), make([]byte, test.data)...)
		path := filepath.Join(t.TempDir(), "hostile.safetensors")
		writeFile(t, path, file)
		if _, err := ReadSafetensors(path); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one that says %q", test.name, err, test.want)
		}
	}
	path := filepath.Join(t.TempDir(), "claim.safetensors")
	writeFile(t, path, binary.LittleEndian.AppendUint64(nil, math.MaxUint64))
	if _, err := ReadSafetensors(path); err == nil {
		t.Error("a header of 2⁶⁴ bytes was accepted")
	}
}

func FuzzReadSafetensors(f *testing.F) {
	var out bytes.Buffer
	WriteSafetensors(&out, []NamedTensor{{Name: "a", Shape: []int{2}, Data: []float32{1, 2}}})
	f.Add(out.Bytes())
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0, '{', '}'})
	f.Fuzz(func(t *testing.T, file []byte) {
		entries, size, err := readHeader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		for _, e := range maps.All(entries) {
			if e.Offsets[0] < 0 || e.Offsets[1] > size || e.Offsets[0] > e.Offsets[1] {
				t.Fatalf("accepted offsets %v in %d bytes", e.Offsets, size)
			}
		}
	})
}

// binary16 values worked out from IEEE 754: sign, 5 bits of exponent, 10 of fraction.
func TestFromHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 0x1p-14, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24,
		0x3555: 0.333251953125, 0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)),
	} {
		if got := fromHalf(bits); got != want {
			t.Errorf("%#04x: got %v, want %v", bits, got, want)
		}
	}
	if got := fromHalf(0x7e00); got == got {
		t.Errorf("NaN became %v", got)
	}
}

// A write that fails, as on a full disk, leaves what was there and nothing half-written.
func TestWriteFileKeepsTheOldOnFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	writeFile(t, path, []byte("old"))
	full := errors.New("no space left on device")
	err := WriteFile(path, func(w io.Writer) error {
		w.Write([]byte("half of the n"))
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want %v with the path", err, full)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the file holds %q, want what it held before", got)
	}
	expectOnly(t, dir, "file")
}

func TestWriteDirectoryIsAllOrNothing(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "checkpoint")
	full := errors.New("no space left on device")
	err := WriteDirectory(dir, func(temporary string) error {
		writeFile(t, filepath.Join(temporary, "half"), []byte("x"))
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("got error %v, want %v", err, full)
	}
	expectOnly(t, parent)

	if err := WriteDirectory(dir, tinyWeights().WriteFiles); err != nil {
		t.Fatal(err)
	}
	if err := WriteDirectory(dir, tinyWeights().WriteFiles); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got error %v, want a refusal to overwrite", err)
	}
	expectOnly(t, parent, "checkpoint")
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// expectOnly fails if dir holds anything but names, temporary files included.
func expectOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) && len(got)+len(names) > 0 {
		t.Errorf("%s holds %v, want %v", dir, got, names)
	}
}
