package parity

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
)

// File compares an exported model with what an export of w is: every initializer, to the bit, and the graph around them.
// Constants that are no weights are compared as well. There is one finding for each initializer, one more for each of whole
// numbers, which are multiplied out and compared with the checkpoint's, and one for the graph.
func File(subject string, m *onnx.ModelProto, w *models.Weights) ([]Finding, error) {
	o := export.OptionsOf(m)
	want, err := export.Model(w, o)
	if err != nil {
		return nil, err
	}
	found := byName(m)
	var findings []Finding
	for _, p := range w.Parameters.Order {
		if t := found[p.Name]; t != nil && isWhole(t) {
			findings = append(findings, compareDequantized(subject, found, p, w, o))
		}
	}
	for _, t := range want.Graph.Initializer {
		findings = append(findings, compareInitializer(subject, found[t.Name], t))
		delete(found, t.Name)
	}
	for name := range found {
		findings = append(findings, mismatch(subject, name, "the checkpoint has no such tensor"))
	}
	return append(findings, compareGraph(subject, m, want)), nil
}

func compareInitializer(subject string, got, want *onnx.TensorProto) Finding {
	switch {
	case got == nil:
		return mismatch(subject, want.Name, "it is missing")
	case !slices.Equal(got.Dims, want.Dims) || got.DataType != want.DataType:
		return mismatch(subject, want.Name, fmt.Sprintf("type %v and shape %v, want %v and %v",
			onnx.TensorProto_DataType(got.DataType), got.Dims, onnx.TensorProto_DataType(want.DataType), want.Dims))
	case want.DataType != int32(onnx.TensorProto_FLOAT) && want.DataType != int32(onnx.TensorProto_FLOAT16):
		if !slices.Equal(got.RawData, want.RawData) {
			return mismatch(subject, want.Name, "its whole numbers differ")
		}
		return Finding{Subject: subject, Against: AgainstCheckpoint, Tensor: want.Name, OK: true}
	}
	x, err := got.Floats()
	if err != nil {
		return mismatch(subject, want.Name, err.Error())
	}
	y, err := want.Floats()
	if err != nil {
		return mismatch(subject, want.Name, err.Error())
	}
	return newFinding(subject, want.Name, numeric.Compare(x, y, numeric.Exact), "")
}

// compareGraph compares the nodes, functions, inputs and outputs.
func compareGraph(subject string, got, want *onnx.ModelProto) Finding {
	const name = "graph"
	if len(got.Graph.Node) != len(want.Graph.Node) {
		return mismatch(subject, name, fmt.Sprintf("%d nodes, an export has %d", len(got.Graph.Node), len(want.Graph.Node)))
	}
	for i, n := range want.Graph.Node {
		if !proto.Equal(got.Graph.Node[i], n) {
			return mismatch(subject, name, fmt.Sprintf("node %s is not what an export has", n.Name))
		}
	}
	if !slices.EqualFunc(got.Functions, want.Functions, func(a, b *onnx.FunctionProto) bool { return proto.Equal(a, b) }) {
		return mismatch(subject, name, "functions are not those of an export")
	}
	same := func(a, b *onnx.ValueInfoProto) bool { return proto.Equal(a, b) }
	if !slices.EqualFunc(got.Graph.Input, want.Graph.Input, same) || !slices.EqualFunc(got.Graph.Output, want.Graph.Output, same) {
		return mismatch(subject, name, "inputs or outputs are not those of an export")
	}
	return Finding{Subject: subject, Against: AgainstCheckpoint, Tensor: name, Elements: len(want.Graph.Node), OK: true}
}

// ToleranceOf returns what the outputs of a file may differ by, in its precision: those of whole numbers from a model of
// [Dequantized] weights. From the checkpoint's own they differ by more, which predictions judge.
func ToleranceOf(m *onnx.ModelProto) numeric.Tolerance {
	switch export.OptionsOf(m).Precision {
	case export.FP16:
		return numeric.EngineHalf
	case export.INT8:
		return numeric.EngineInt8
	}
	return numeric.Engine
}
