//go:build cgo && !windows

package ort_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime/ort"
)

// What is counted is what ONNX Runtime itself writes as the graph that it runs.
func TestPlace(t *testing.T) {
	needLibrary(t)
	model, dir := exported(t), t.TempDir()
	optimized := filepath.Join(dir, "optimized.onnx")
	o := ort.Options{OptimizedModel: optimized, GraphOptimization: ort.OptimizeExtended}
	for _, shape := range [][]int{nil, {3, 5}} {
		p, err := ort.Place(model, o, shape)
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnx.ReadFile(optimized)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for _, n := range m.Graph.Node {
			want[n.OpType]++
		}
		if len(p.Providers) != 1 || p.Fallen() != 0 || p.Providers[0].Nodes != len(m.Graph.Node) {
			t.Fatalf("shape %v: got %+v, want the %d nodes of the optimized graph", shape, p, len(m.Graph.Node))
		}
		for operator, n := range want {
			if p.Providers[0].Operators[operator] != n {
				t.Errorf("shape %v: got %d nodes %s, want %d", shape, p.Providers[0].Operators[operator], operator, n)
			}
		}
	}
	if _, err := ort.Place(model, ort.Options{}, []int{1, 17}); err == nil || !strings.Contains(err.Error(), "warm-up: shape [1 17]") {
		t.Errorf("17 tokens in a model of 16 positions: got error %v", err)
	}
}

// A node of a Loop is one node, however often it runs.
func TestPlaceLoop(t *testing.T) {
	needLibrary(t)
	nodes := map[int]int{}
	for _, layers := range []int{2, 7} {
		c, err := models.Preset("albert-tiny")
		if err != nil {
			t.Fatal(err)
		}
		c.VocabSize, c.MaxPositionEmbeddings, c.NumHiddenLayers = 60, 16, layers
		w := models.NewWeights(c)
		w.Initialize(1)
		path := filepath.Join(t.TempDir(), "model.onnx")
		if err := export.Write(path, w, export.Options{Layers: export.Loop}); err != nil {
			t.Fatal(err)
		}
		p, err := ort.Place(path, ort.Options{}, []int{2, 4})
		if err != nil {
			t.Fatal(err)
		}
		if p.Providers[0].Operators["Loop"] != 1 {
			t.Errorf("%d layers: got %v, want a Loop", layers, p.Providers[0].Operators)
		}
		nodes[layers] = p.Providers[0].Nodes
	}
	if nodes[2] != nodes[7] {
		t.Errorf("got %v nodes by layers, want as many", nodes)
	}
}

// The profile is the session's, whole when it is closed, and nothing lies beside it.
func TestProfile(t *testing.T) {
	needLibrary(t)
	model, dir := exported(t), t.TempDir()
	path := filepath.Join(dir, "profile.json")
	s, err := ort.Open(model, ort.Options{Profile: path, WarmUp: [][]int{{2, 3}, {1, 16}}, NoArena: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the profile is there before it is whole")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(text, &events); err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, e := range events {
		if e.Name == "model_run" {
			runs++
		}
	}
	if runs != 2 {
		t.Errorf("the profile has %d runs, want the 2 of the warm-up", runs)
	}
	if _, err := ort.Open(model, ort.Options{Profile: path, WarmUp: [][]int{{1, 17}}}); err == nil {
		t.Error("a warm-up of 17 tokens went well in a model of 16 positions")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, error %v; want the profile alone", entries, err)
	}
}

// A provider that takes no node: all of them fall to the CPU, are counted, and can be refused. That of Azure, which
// Python's packages have, is such a one.
func TestFallen(t *testing.T) {
	needLibrary(t)
	library, err := ort.Find("")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(library.Providers, "AzureExecutionProvider") {
		t.Skip("needs a library with the provider azure, as pip's onnxruntime: name it by " + ort.LibraryEnv)
	}
	model := exported(t)
	p, err := ort.Place(model, ort.Options{Provider: "azure"}, nil)
	if err != nil || p.Fallen() == 0 || p.Fallen() != p.Providers[0].Nodes || p.Providers[0].Provider != "CPUExecutionProvider" {
		t.Errorf("got %+v, error %v; want all nodes fallen to the CPU", p, err)
	}
	_, err = ort.Open(model, ort.Options{Provider: "azure", NoCPUFallback: true})
	if err == nil || !strings.Contains(err.Error(), "provider azure cannot run every node") {
		t.Errorf("without the fallback: got error %v", err)
	}
}
