package export

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/models"
	"goalbert/onnx"
)

// A file written tensor by tensor has the bytes that protobuf makes of the whole model, in every form of every head.
func TestFilesAreProtobufs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	for _, architecture := range models.Architectures() {
		w := weights(t, func(c *models.Config) { c.Architecture = architecture })
		for _, o := range Cells() {
			o.Version, o.VocabularySHA256 = "1", "abc"
			if err := Write(path, w, o); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Model(w, o)
			if err != nil {
				t.Fatal(err)
			}
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %s: the file has %d bytes, and is not the model's %d", architecture, o.Form(), len(got), len(want))
			}
		}
	}
}

// The weights in a second file are those of one file, and what an export does not write it removes.
func TestExternalFiles(t *testing.T) {
	w := weights(t, nil)
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	files := func() (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	for _, o := range Cells() {
		for _, external := range []External{{Always: true}, {Threshold: 10_000}, {}, {Threshold: 100_000_000}} {
			o.External = external
			if err := Write(path, w, o); err != nil {
				t.Fatal(err)
			}
			want := []string{"model.onnx", "model.onnx.data"}
			if external.Threshold != 10_000 && !external.Always {
				want = want[:1]
			}
			if got := files(); !slices.Equal(got, want) {
				t.Errorf("%s, %+v: the folder has %v, want %v", o.Form(), external, got, want)
			}
			got, err := onnx.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			model, err := Model(w, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, tensor := range model.Graph.Initializer {
				if !bytes.Equal(got.Graph.Initializer[i].RawData, tensor.RawData) {
					t.Errorf("%s, %+v: %s is another in the file", o.Form(), external, tensor.Name)
				}
			}
		}
	}
}

// An export that fails leaves the files of an earlier one as they were.
func TestFailedExportLosesNothing(t *testing.T) {
	w := weights(t, nil)
	path := filepath.Join(t.TempDir(), "model.onnx")
	external := Options{External: External{Always: true}}
	if err := Write(path, w, external); err != nil {
		t.Fatal(err)
	}
	read := func() (all [2][]byte) {
		for i, name := range []string{path, DataFile(path)} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = data
		}
		return all
	}
	before := read()
	err := models.WriteFiles(
		models.File{Path: DataFile(path), Write: func(out io.Writer) error { _, err := out.Write([]byte("new")); return err }},
		models.File{Path: path, Write: func(io.Writer) error { return errors.New("the disk is full") }})
	if err == nil || !strings.Contains(err.Error(), "the disk is full; nothing that was there before is lost") {
		t.Errorf("got error %v", err)
	}
	if after := read(); !bytes.Equal(after[0], before[0]) || !bytes.Equal(after[1], before[1]) {
		t.Error("a file was changed")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, error %v", entries, err)
	}
}

// An export takes at most three tenths of the weights' memory beside them, in every form.
func TestMemoryOfAnExport(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.VocabSize = 20_000 })
	path := filepath.Join(t.TempDir(), "model.onnx")
	for _, o := range Cells() {
		for _, external := range []bool{false, true} {
			o.External.Always = external
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := Write(path, w, o); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			allocated, size := after.TotalAlloc-before.TotalAlloc, uint64(4*len(w.Data))
			if allocated > size*3/10 {
				t.Errorf("%s, external data %v: %d bytes were allocated for weights of %d", o.Form(), external, allocated, size)
			}
			t.Logf("%s, external data %v: %.3f of the weights", o.Form(), external, float64(allocated)/float64(size))
		}
	}
}
