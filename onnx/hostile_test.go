package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// nested returns a model with a Loop in a Loop, and so on, as deep as that.
func nested(depth int) *ModelProto {
	m := loopModel()
	body := m.Graph.Node[0].Attribute[0].G
	for range depth {
		inner := loopModel().Graph.Node[0]
		body.Node = append(body.Node, inner)
		body = inner.Attribute[0].G
	}
	return m
}

// What a file claims costs no memory: lengths beyond its end, shapes without data, messages in messages.
func TestClaimsAreNotAllocated(t *testing.T) {
	field := func(number protowire.Number, length uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), length)
	}
	huge := linearModel()
	huge.Graph.Initializer[0].Dims = []int64{1 << 20, 1 << 10}
	negative := linearModel()
	negative.Graph.Initializer[0].Dims = []int64{-1, -6}
	zero := linearModel()
	zero.Graph.Initializer[0].Dims = []int64{0, 1 << 40}
	inner := linearModel()
	inner.Graph.Node[0].Attribute[0].T = huge.Graph.Initializer[0]
	for name, data := range map[string][]byte{
		"a graph of 2 GB":         append(marshal(t, linearModel()), field(graphField, 1<<31)...),
		"a graph of 2⁶⁴ bytes":    field(graphField, 1<<64-1),
		"a tensor of 1 GB":        append(field(graphField, 6), field(initializerField, 1<<30)...),
		"data of 1 GB":            append(append(field(graphField, 9), field(initializerField, 6)...), field(rawDataField, 1<<30)...),
		"metadata of 1 GB":        field(14, 1<<30),
		"a shape of 4 GB":         marshal(t, huge),
		"a shape below zero":      marshal(t, negative),
		"a shape of nothing":      marshal(t, zero),
		"an attribute of 4 GB":    marshal(t, inner),
		"a hundred loops":         marshal(t, nested(100)),
		"a varint without an end": {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a group":                 protowire.AppendTag(nil, 99, protowire.StartGroupType),
		"field 0":                 {0x02, 0x00},
	} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, read := range []func() (*ModelProto, error){
			func() (*ModelProto, error) { return ReadFile(path) },
			func() (*ModelProto, error) { return ReadGraph(path) },
			func() (*ModelProto, error) { return Parse(data) },
		} {
			var err error
			allocated := allocation(func() { _, err = read() })
			if _, format := errors.AsType[FormatError](err); !format {
				t.Errorf("%s: got error %v, want a FormatError", name, err)
			}
			if allocated > 1<<20 {
				t.Errorf("%s: %d bytes were allocated", name, allocated)
			}
		}
	}
	if m, err := Parse(marshal(t, nested(20))); err != nil {
		t.Errorf("twenty loops: %v", err)
	} else {
		Check(m)
	}
}

// ONNX's own models are none that is called damaged.
func TestONNXModelsAreRead(t *testing.T) {
	paths, err := filepath.Glob("/usr/share/libonnx-testdata/data/*/*/model.onnx")
	if err != nil || len(paths) == 0 {
		t.Skip("needs ONNX's test models (Debian package libonnx-testdata)")
	}
	read := 0
	for _, path := range paths {
		m, err := ReadFile(path)
		if _, unsupported := errors.AsType[UnsupportedError](err); err != nil && !unsupported {
			t.Error(err)
		}
		if m != nil {
			read++
		}
	}
	if read < len(paths)*9/10 {
		t.Errorf("%d of %d models were read, want nine tenths", read, len(paths))
	}
	t.Logf("%d of %d models were read", read, len(paths))
}

// Whatever a file is: it is read or refused, by each of the ways to read it alike, in memory that its size bounds.
func FuzzReadFile(f *testing.F) {
	for _, m := range []*ModelProto{linearModel(), loopModel(), nested(3)} {
		f.Add(marshal(f, m), []byte("data"))
	}
	for _, m := range hidden() {
		f.Add(encode(f, m), make([]byte, 16))
	}
	m := externalModel()
	for _, w := range m.Graph.Initializer {
		w.Dims, w.RawData = []int64{300}, w.RawData[:min(len(w.RawData), 1200)]
	}
	m.Graph.Initializer = m.Graph.Initializer[1:2]
	path := writeExternal(f, m)
	model, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path + ".data")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(model, data)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, model, data []byte) {
		path := filepath.Join(dir, "model.onnx")
		for name, content := range map[string][]byte{path: model, path + ".data": data} {
			if err := os.WriteFile(name, content, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		var file, graph *ModelProto
		var fileErr, graphErr error
		allocated := allocation(func() {
			file, fileErr = ReadFile(path)
			graph, graphErr = ReadGraph(path)
		})
		// The smallest message takes two bytes, and some hundreds in memory.
		if limit := uint64(1<<20 + 2000*len(model) + len(data)); allocated > limit {
			t.Errorf("%d bytes were allocated for files of %d and %d", allocated, len(model), len(data))
		}
		if (fileErr == nil) != (graphErr == nil) {
			t.Errorf("with its data: %v; without: %v", fileErr, graphErr)
		}
		if parsed, err := Parse(model); err == nil && (fileErr != nil || len(parsed.Graph.Initializer) != len(file.Graph.Initializer)) {
			t.Errorf("in memory it is a model, as a file it is not: %v", fileErr)
		}
		if fileErr == nil {
			Check(file)
			Check(graph)
		}
	})
}
