package parity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
)

// File compares an exported model with what an export of w is: every initializer, to the bit, and what is around them.
// Constants that are no weights are compared as well. There is one finding for each initializer, one more for each of whole
// numbers, which are multiplied out and compared with the checkpoint's, one for the graph, one for the metadata and one for the
// versions of the format and its operators. vocabulary is the SHA-256 of the checkpoint's; empty where it has none.
func File(subject string, m *onnx.ModelProto, w *models.Weights, vocabulary string) ([]Finding, error) {
	o := export.OptionsOf(m)
	o.VocabularySHA256 = vocabulary
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
	return append(findings, compareGraph(subject, m, want), compareMetadata(subject, m, want), compareVersions(subject, m, want)), nil
}

// compareMetadata compares what the file says of itself: above all the names of its labels, which no number shows.
func compareMetadata(subject string, got, want *onnx.ModelProto) Finding {
	const name = "metadata"
	wanted := map[string]string{}
	for _, p := range want.MetadataProps {
		wanted[p.Key] = p.Value
	}
	seen := map[string]bool{}
	for _, p := range got.MetadataProps {
		value, there := wanted[p.Key]
		switch {
		case seen[p.Key]:
			return mismatch(subject, name, fmt.Sprintf("%s is there twice", p.Key))
		case !there:
			return mismatch(subject, name, fmt.Sprintf("%s is %q, an export of the checkpoint has none", p.Key, p.Value))
		case p.Value != value:
			return mismatch(subject, name, fmt.Sprintf("%s is %q, the checkpoint's is %q", p.Key, p.Value, value))
		}
		seen[p.Key] = true
	}
	for _, p := range want.MetadataProps {
		if !seen[p.Key] {
			return mismatch(subject, name, fmt.Sprintf("%s is missing, the checkpoint's is %q", p.Key, p.Value))
		}
	}
	return Finding{Subject: subject, Against: AgainstCheckpoint, Tensor: name, Elements: len(wanted), OK: true}
}

// compareVersions compares the version of the format, and those of the operators.
func compareVersions(subject string, got, want *onnx.ModelProto) Finding {
	const name = "versions"
	if got.IrVersion != want.IrVersion {
		return mismatch(subject, name, fmt.Sprintf("the format is IR version %d, want %d", got.IrVersion, want.IrVersion))
	}
	same := func(a, b *onnx.OperatorSetIdProto) bool { return proto.Equal(a, b) }
	if !slices.EqualFunc(got.OpsetImport, want.OpsetImport, same) {
		return mismatch(subject, name, fmt.Sprintf("operators are of %s, want %s", opsets(got), opsets(want)))
	}
	return Finding{Subject: subject, Against: AgainstCheckpoint, Tensor: name, Elements: 1 + len(want.OpsetImport), OK: true}
}

// opsets lists the versions of operators that a model imports.
func opsets(m *onnx.ModelProto) string {
	var list []string
	for _, o := range m.OpsetImport {
		list = append(list, fmt.Sprintf("%s %d", cmp.Or(o.Domain, "ai.onnx"), o.Version))
	}
	return strings.Join(list, ", ")
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
