//go:build cgo && !windows

package ort_test

import (
	"path/filepath"
	"testing"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime/ort"
)

// ONNX Runtime makes one kernel of a rounding, an integer product and the scales around it, in the graph and in the body of a
// Loop: DynamicQuantizeMatMul, and where three products share the rounding MatMulIntegerToFloat, with the bias. The tied
// decoder's turned table is one constant.
func TestInt8ProductsAreFused(t *testing.T) {
	needLibrary(t)
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.MaxPositionEmbeddings = 60, 16
	w := models.NewWeights(c)
	w.Initialize(1)
	for layers, uses := range map[export.Layers]int{export.Unrolled: c.NumHiddenLayers, export.Loop: 1} {
		dir := t.TempDir()
		model, optimized := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "optimized.onnx")
		if err := export.Write(model, w, export.Options{Precision: export.INT8, Layers: layers}); err != nil {
			t.Fatal(err)
		}
		open(t, model, ort.Options{OptimizedModel: optimized, GraphOptimization: ort.OptimizeExtended}).Close()
		m, err := onnx.ReadFile(optimized)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		countOperators(counts, m.Graph.Node)
		// A use: attention's dense, ffn and ffn_output beside query, key and value. Outside: mapping, pooler, dense, decoder.
		want := map[string]int{
			"DynamicQuantizeMatMul": 3*uses + 4, "MatMulIntegerToFloat": 3 * uses, "DynamicQuantizeLinear": uses, "MatMulInteger": 0,
			"FastGelu": uses + 1, "Transpose": 4 * uses, // of the heads
		}
		for op, n := range want {
			if counts[op] != n {
				t.Errorf("%s: %d %s, want %d; all operators are %v", layers, counts[op], op, n, counts)
			}
		}
	}
}

func countOperators(counts map[string]int, nodes []*onnx.NodeProto) {
	for _, n := range nodes {
		counts[n.OpType]++
		for _, a := range n.Attribute {
			countOperators(counts, a.GetG().GetNode())
		}
	}
}
