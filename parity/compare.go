package parity

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
)

// Finding is how one tensor compares.
type Finding struct {
	Subject  string  `json:"subject"`  // the file, or the engine
	Tensor   string  `json:"tensor"`   // by its name in the file
	Elements int     `json:"elements"` // that were compared
	MaxAbs   float64 `json:"max_abs"`  // largest difference
	Share    float64 `json:"share"`    // of the tolerance that the worst element uses; more than 1 is a mismatch
	Worst    string  `json:"worst"`    // where that is, and the two values
	OK       bool    `json:"ok"`
}

// File compares an exported model with what an export of w is: every initializer, to the bit, and the graph around them.
// Constants that are no weights are compared as well. There is one finding for each initializer, and one for the graph.
func File(subject string, m *onnx.ModelProto, w *models.Weights) ([]Finding, error) {
	want, err := export.Model(w, export.OptionsOf(m))
	if err != nil {
		return nil, err
	}
	found := map[string]*onnx.TensorProto{}
	for _, t := range m.Graph.Initializer {
		found[t.Name] = t
	}
	var findings []Finding
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
		return Finding{Subject: subject, Tensor: want.Name, OK: true}
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
	return Finding{Subject: subject, Tensor: name, Elements: len(want.Graph.Node), OK: true}
}

func mismatch(subject, tensor, why string) Finding {
	return Finding{Subject: subject, Tensor: tensor, Share: infinite, Worst: why}
}

// infinite stands for a share without bound: JSON has no infinity.
const infinite = 1e300

func newFinding(subject, tensor string, c numeric.Comparison, where string) Finding {
	f := Finding{Subject: subject, Tensor: tensor, Elements: c.Elements, MaxAbs: min(c.MaxAbs, infinite), Share: min(c.Share, infinite), OK: c.OK()}
	if c.Length != c.Elements {
		f.Worst = c.String()
	} else if c.MaxAbs > 0 || !c.OK() {
		f.Worst = fmt.Sprintf("%selement %d: got %v, want %v", where, c.WorstIndex, c.Got, c.Want)
	}
	return f
}

// ToleranceOf returns what the outputs of a file may differ by, in its precision.
func ToleranceOf(m *onnx.ModelProto) numeric.Tolerance {
	if export.OptionsOf(m).Precision == export.FP16 {
		return numeric.EngineHalf
	}
	return numeric.Engine
}

// Outputs runs batches on a session and on the reference, and compares every output on attended positions, within that
// tolerance. There is one finding for each output.
func Outputs(ctx context.Context, reference, session runtime.Session, batches []Batch, tolerance numeric.Tolerance) ([]Finding, error) {
	var findings []Finding
	for _, name := range reference.Outputs() {
		if name == models.SentenceEmbedding && !slices.Contains(session.Outputs(), name) {
			continue // an export has it on request; File knows whether it was
		}
		findings = append(findings, Finding{Subject: session.Engine(), Tensor: name, OK: true})
	}
	for _, b := range batches {
		want, err := reference.Run(ctx, b.Inputs)
		if err != nil {
			return nil, fmt.Errorf("parity: %s, batch %s: %w", reference.Engine(), b.Name, err)
		}
		got, err := session.Run(ctx, b.Inputs)
		if err != nil {
			return nil, fmt.Errorf("parity: %s, batch %s: %w", session.Engine(), b.Name, err)
		}
		for i := range findings {
			f, err := compareOutput(session.Engine(), findings[i].Tensor, b, got, want, tolerance)
			if err != nil {
				return nil, err
			}
			findings[i].add(f)
		}
	}
	return findings, nil
}

func compareOutput(subject, name string, b Batch, got, want map[string]runtime.Tensor, tolerance numeric.Tolerance) (Finding, error) {
	w, err := runtime.Values[float32](name, want[name])
	if err != nil {
		return Finding{}, err
	}
	tensor, there := got[name]
	if !there {
		return mismatch(subject, name, "the model has no such output"), nil
	}
	if !slices.Equal(tensor.Shape, want[name].Shape) {
		return mismatch(subject, name, fmt.Sprintf("batch %s: shape %v, want %v", b.Name, tensor.Shape, want[name].Shape)), nil
	}
	g, err := runtime.Values[float32](name, tensor)
	if err != nil {
		return Finding{}, err
	}
	c := numeric.Compare(b.attended(name, tensor, g), b.attended(name, tensor, w), tolerance)
	return newFinding(subject, name, c, "batch "+b.Name+", "), nil
}

// add joins the finding of another batch to f.
func (f *Finding) add(other Finding) {
	f.Elements += other.Elements
	f.MaxAbs = max(f.MaxAbs, other.MaxAbs)
	f.OK = f.OK && other.OK
	if other.Share >= f.Share {
		f.Share, f.Worst = other.Share, other.Worst
	}
}
