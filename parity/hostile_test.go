package parity_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/export"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/ort"
)

// hostile are what a file may be instead of a model that was exported, each with a change of one.
var hostile = map[string]func(m *onnx.ModelProto){
	"a shape larger than its data":  func(m *onnx.ModelProto) { m.Graph.Initializer[0].Dims[0]++ },
	"a shape smaller than its data": func(m *onnx.ModelProto) { m.Graph.Initializer[0].Dims[0]-- },
	"a negative shape":              func(m *onnx.ModelProto) { m.Graph.Initializer[0].Dims = []int64{-1, -1} },
	"a shape of 4 GB without data": func(m *onnx.ModelProto) {
		m.Graph.Initializer[0].Dims, m.Graph.Initializer[0].RawData = []int64{1 << 30}, nil
	},
	"a shape whose size is 0 in 64 bits": func(m *onnx.ModelProto) {
		m.Graph.Initializer[0].Dims, m.Graph.Initializer[0].RawData = []int64{1 << 32, 1 << 32}, nil
	},
	"no data":                    func(m *onnx.ModelProto) { m.Graph.Initializer[0].RawData = nil },
	"elements of no type":        func(m *onnx.ModelProto) { m.Graph.Initializer[0].DataType = 0 },
	"elements of unknown type":   func(m *onnx.ModelProto) { m.Graph.Initializer[0].DataType = 999 },
	"a missing tensor":           func(m *onnx.ModelProto) { m.Graph.Initializer = m.Graph.Initializer[1:] },
	"two tensors of one name":    func(m *onnx.ModelProto) { m.Graph.Initializer[1].Name = m.Graph.Initializer[0].Name },
	"a tensor without a name":    func(m *onnx.ModelProto) { m.Graph.Initializer[0].Name = "" },
	"a node that reads itself":   func(m *onnx.ModelProto) { last(m).Input[0] = last(m).Output[0] },
	"nodes that read each other": func(m *onnx.ModelProto) { node(m, "embeddings.sum").Input[0] = last(m).Output[0] },
	"a node that is not there":   func(m *onnx.ModelProto) { m.Graph.Node = m.Graph.Node[1:] },
	"a node twice":               func(m *onnx.ModelProto) { m.Graph.Node = append(m.Graph.Node, last(m)) },
	"an unknown operator":        func(m *onnx.ModelProto) { last(m).OpType = "Explode" },
	"an unknown domain":          func(m *onnx.ModelProto) { last(m).Domain = "com.example" },
	"no nodes":                   func(m *onnx.ModelProto) { m.Graph.Node = nil },
	"no graph":                   func(m *onnx.ModelProto) { m.Graph = nil },
	"no opset":                   func(m *onnx.ModelProto) { m.OpsetImport = nil },
	"an opset of the future":     func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 1 << 40 },
	"an output of nothing":       func(m *onnx.ModelProto) { m.Graph.Output[0].Name = "nothing" },
	"an axis that is not there":  func(m *onnx.ModelProto) { attribute(m.Graph, "embeddings", "axis").I = 1 << 40 },
	"loops in loops": func(m *onnx.ModelProto) {
		for range 200 {
			body := proto.Clone(m.Graph).(*onnx.GraphProto)
			body.Initializer, body.Node = nil, body.Node[:1]
			body.Node[0].Attribute = m.Graph.Node[0].Attribute
			m.Graph.Node[0].OpType = "Loop"
			m.Graph.Node[0].Attribute = []*onnx.AttributeProto{{Name: "body", Type: onnx.AttributeProto_GRAPH, G: body}}
		}
	},
	"a function that calls itself": func(m *onnx.ModelProto) {
		m.OpsetImport = append(m.OpsetImport, &onnx.OperatorSetIdProto{Domain: "f", Version: 1})
		call := &onnx.NodeProto{OpType: "F", Domain: "f", Input: []string{"x"}, Output: []string{"y"}}
		m.Functions = []*onnx.FunctionProto{{Name: "F", Domain: "f", Input: []string{"x"}, Output: []string{"y"},
			Node: []*onnx.NodeProto{call}, OpsetImport: m.OpsetImport}}
		m.Graph.Node = append(m.Graph.Node, &onnx.NodeProto{OpType: "F", Domain: "f",
			Input: last(m).Output[:1], Output: []string{"called"}})
	},
	"external data of another folder": external("../../../../etc/passwd", 0),
	"external data of the root":       external("/etc/passwd", 0),
	"external data that are missing":  external("nowhere.data", 0),
	"external data of the model":      external("model.onnx", 1<<40),
	"external data of a folder":       external(".", 0),
}

func last(m *onnx.ModelProto) *onnx.NodeProto { return m.Graph.Node[len(m.Graph.Node)-1] }

func node(m *onnx.ModelProto, name string) *onnx.NodeProto {
	for _, n := range m.Graph.Node {
		if n.Name == name {
			return n
		}
	}
	panic("no node " + name)
}

func external(location string, offset int64) func(*onnx.ModelProto) {
	return func(m *onnx.ModelProto) {
		w := m.Graph.Initializer[0]
		w.RawData, w.DataLocation = nil, onnx.TensorProto_EXTERNAL
		w.ExternalData = []*onnx.StringStringEntryProto{{Key: "location", Value: location}, {Key: "offset", Value: fmt.Sprint(offset)}}
	}
}

// Neither engine opens or runs what is no model, in one sentence, and neither takes memory for what the file merely claims.
func TestHostileFilesInEngines(t *testing.T) {
	w := openGolden(t, "base").weights
	_, path := exportedWith(t, w, export.Options{})
	batch := parity.Batches(sequences(w.Config, 7), w.Config.PadTokenID)[0].Inputs
	engines := map[string]func(path string) (runtime.Session, error){
		"onnx-go": func(path string) (runtime.Session, error) { return gonnx.Open(path, gonnx.Options{}) },
	}
	if _, err := ort.Find(""); err == nil {
		engines["ONNX Runtime"] = func(path string) (runtime.Session, error) {
			return ort.Open(path, ort.Options{IntraOpThreads: 1})
		}
	}
	for name, open := range engines {
		session, err := open(path) // what an engine allocates the first time
		if err != nil {
			t.Fatal(err)
		}
		session.Close()
		for what, change := range hostile {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			m := new(onnx.ModelProto)
			if err := proto.Unmarshal(content, m); err != nil {
				t.Fatal(err)
			}
			change(m)
			if content, err = proto.Marshal(m); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "model.onnx")
			if err := os.WriteFile(file, content, 0o666); err != nil {
				t.Fatal(err)
			}
			resident, allocated := peak(t), totalAlloc()
			session, err := open(file)
			if err == nil { // an attribute may be looked at late
				_, err = session.Run(context.Background(), batch)
				session.Close()
			}
			if err == nil {
				t.Errorf("%s runs a model with %s", name, what)
			} else if !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %s: got error %v, want one line that names the file", name, what, err)
			}
			if strings.HasPrefix(what, "external") && (err == nil || !strings.Contains(err.Error(), "onnx: tensor")) {
				t.Errorf("%s, %s: got error %v, want that of our reader, before the engine opens the file", name, what, err)
			}
			if n := totalAlloc() - allocated; n > 64<<20 {
				t.Errorf("%s, %s: %d bytes were allocated", name, what, n)
			}
			if n := peak(t) - resident; n > 256<<10 {
				t.Errorf("%s, %s: %d kB more were resident", name, what, n)
			}
		}
	}
}

func totalAlloc() uint64 {
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.TotalAlloc
}

// peak returns the most kilobytes that were resident so far, 0 where the system does not say.
func peak(t *testing.T) (kilobytes int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Sscan(rest, &kilobytes)
	return kilobytes
}
