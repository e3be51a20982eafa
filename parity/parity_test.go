package parity_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// sequences are random ids of these lengths.
func sequences(c models.Config, lengths ...int) []parity.Sequence {
	random := rand.New(rand.NewPCG(6, 6))
	var all []parity.Sequence
	for _, n := range lengths {
		var s parity.Sequence
		for i := range n {
			s.InputIDs = append(s.InputIDs, 5+random.Int32N(int32(c.VocabSize-5)))
			s.TokenTypeIDs = append(s.TokenTypeIDs, int32(2*i/n))
		}
		all = append(all, s)
	}
	return all
}

func exported(t *testing.T, w *models.Weights) (*onnx.ModelProto, string) {
	t.Helper()
	return exportedWith(t, w, export.Options{})
}

func exportedWith(t *testing.T, w *models.Weights, o export.Options) (*onnx.ModelProto, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := export.Write(path, w, o); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return m, path
}

// The same in pure Go, by another reader of the file and other operators.
func TestExportsInPureGo(t *testing.T) {
	for _, name := range goldenNames {
		t.Run(name, func(t *testing.T) {
			w := openGolden(t, name).weights
			m, path := exported(t, w)
			session, err := gonnx.Open(path, gonnx.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			checkParity(t, w, m, session)
		})
	}
}

// cells are the forms of the layers in each precision of floating-point numbers.
var cells = []export.Options{
	{Layers: export.Unrolled, Precision: export.FP32}, {Layers: export.Unrolled, Precision: export.FP16},
	{Layers: export.Loop, Precision: export.FP32}, {Layers: export.Loop, Precision: export.FP16},
	{Layers: export.Function, Precision: export.FP32}, {Layers: export.Function, Precision: export.FP16},
	{Layers: export.Unrolled, Precision: export.FP32, Fuse: export.FuseORT},
	{Layers: export.Unrolled, Precision: export.FP16, Fuse: export.FuseORT},
}

// Every golden configuration in every cell, exported: the file holds the checkpoint, and ONNX Runtime
// computes what native does, with any batch, any length, padding on either side and holes.
func TestExportsInONNXRuntime(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	for _, name := range goldenNames {
		for _, o := range cells {
			t.Run(name+"/"+o.Form(), func(t *testing.T) {
				w := openGolden(t, name).weights
				m, path := exportedWith(t, w, o)
				session, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer session.Close()
				checkParity(t, w, m, session)
			})
		}
	}
}

// onnx-go would take a function for an operator of that name, and cannot decode a Loop, float16 or int8: all are refused by name.
func TestOtherFormsAreRefusedInPureGo(t *testing.T) {
	for want, o := range map[string]export.Options{
		`node "layer_groups.0" (Loop): attribute "body" is a graph, want the model with its layers unrolled`: {Layers: export.Loop},
		"the model has functions (AlbertLayer), want it with its layers unrolled":                            {Layers: export.Function},
		"elements of type FLOAT16, want FLOAT or INT64: export the model with precision fp32":                {Precision: export.FP16},
		"the model is int4 (node \"embeddings.word\": GatherBlockQuantized), want fp32":                      {Precision: export.INT4},
		`the model is int8 (node "embeddings.rows.rounded": DynamicQuantizeLinear), want fp32`:               {Precision: export.INT8},
	} {
		_, path := exportedWith(t, openGolden(t, "groups").weights, o)
		if _, err := gonnx.Open(path, gonnx.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

func checkParity(t *testing.T, w *models.Weights, m *onnx.ModelProto, session runtime.Session) {
	t.Helper()
	checkParityWith(t, w, m, session, w)
}

// checkParityWith compares the file with w, and the outputs with those of reference.
func checkParityWith(t *testing.T, w *models.Weights, m *onnx.ModelProto, session runtime.Session, reference *models.Weights) {
	t.Helper()
	batches := parity.Batches(sequences(w.Config, 1, 2, 7, 16), w.Config.PadTokenID)
	for i, b := range batches {
		batches[i] = b.ForArchitecture(w.Config.Architecture)
	}
	r := parity.NewReport("checkpoint", "native", batches)
	findings, err := parity.File("model.onnx", m, w, "")
	if err != nil {
		t.Fatal(err)
	}
	r.Findings = findings
	findings, err = parity.Outputs(context.Background(), native.New(reference, 1), session, batches, parity.ToleranceOf(m))
	if err != nil {
		t.Fatal(err)
	}
	r.Findings = append(r.Findings, findings...)
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", &text)
	if !r.OK() || len(findings) != len(session.Outputs()) {
		t.Errorf("not equal, or not all outputs compared: %+v", findings)
	}
	for _, f := range findings {
		if f.Elements == 0 {
			t.Errorf("nothing of %s was compared", f.Tensor)
		}
	}
}

// One random scalar of each tensor of the file in turn, constants too, is changed by 1e-2: each is found.
func TestEveryPerturbedTensorIsFound(t *testing.T) {
	for _, o := range slices.Concat(cells, quantizedCells) {
		checkPerturbations(t, o)
	}
}

func checkPerturbations(t *testing.T, o export.Options) {
	w := openGolden(t, "groups").weights
	m, _ := exportedWith(t, w, o)
	random := rand.New(rand.NewPCG(8, 8))
	for i, tensor := range m.Graph.Initializer {
		damaged := proto.Clone(m).(*onnx.ModelProto)
		raw := damaged.Graph.Initializer[i].RawData
		if tensor.DataType == int32(onnx.TensorProto_FLOAT) {
			at := 4 * random.IntN(len(raw)/4)
			old := math.Float32frombits(binary.LittleEndian.Uint32(raw[at:]))
			changed := old + 1e-2
			if changed == old { // the lowest number
				changed = math.Nextafter32(old, 0)
			}
			binary.LittleEndian.PutUint32(raw[at:], math.Float32bits(changed))
		} else if tensor.DataType == int32(onnx.TensorProto_FLOAT16) {
			raw[2*random.IntN(len(raw)/2)] ^= 1 // the last bit
		} else if tensor.DataType == int32(onnx.TensorProto_INT8) || tensor.DataType == int32(onnx.TensorProto_UINT8) {
			raw[random.IntN(len(raw))] ^= 1 << random.IntN(8) // a level, one of two levels, or of two zero points
		} else {
			raw[8*random.IntN(len(raw)/8)]++
		}
		findings, err := parity.File("damaged.onnx", damaged, w, "")
		if err != nil {
			t.Fatal(err)
		}
		r := parity.Report{Findings: findings}
		if r.OK() {
			t.Errorf("%s was changed, and the report is good", tensor.Name)
		}
		for _, f := range findings {
			if !f.OK && f.Tensor != tensor.Name && !isPartOf(tensor.Name, f.Tensor) {
				t.Errorf("%s was changed, and %s is said to differ", tensor.Name, f.Tensor)
			}
		}
	}
}

// isPartOf reports whether the finding is of a matrix multiplied out of that tensor and others.
func isPartOf(tensor, finding string) bool {
	matrix, dequantized := strings.CutSuffix(finding, ", dequantized")
	return dequantized && strings.HasPrefix(tensor, matrix)
}

// A change of the graph, a missing tensor and one too many are found.
func TestChangedGraphIsFound(t *testing.T) {
	w := openGolden(t, "base").weights
	for want, damage := range map[string]func(*onnx.GraphProto){
		"node embeddings is not":            func(g *onnx.GraphProto) { attribute(g, "embeddings", "epsilon").F = 1e-5 },
		"nodes, an export has":              func(g *onnx.GraphProto) { g.Node = g.Node[1:] },
		"inputs or outputs":                 func(g *onnx.GraphProto) { g.Output = g.Output[1:] },
		"predictions.bias: it is missing":   func(g *onnx.GraphProto) { initializer(g, "predictions.bias").Name = "x" },
		"x: the checkpoint has no such":     func(g *onnx.GraphProto) { initializer(g, "predictions.bias").Name = "x" },
		"type FLOAT and shape [1 97], want": func(g *onnx.GraphProto) { initializer(g, "predictions.bias").Dims = []int64{1, 97} },
	} {
		m, _ := exportedWith(t, w, export.Options{})
		damage(m.Graph)
		findings, err := parity.File("damaged.onnx", m, w, "")
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		r := parity.Report{Findings: findings}
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if r.OK() || !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &text)
		}
	}
}

// What a file says of itself is compared with the checkpoint, not with what the file says: each key changed in turn, left out,
// added, and the versions.
func TestChangedMetadataIsFound(t *testing.T) {
	w := openHead(t, "single_label").weights
	m, _ := exportedWith(t, w, export.Options{VocabularySHA256: "5eed"})
	check := func(what string, m *onnx.ModelProto, vocabulary, want string) {
		t.Helper()
		findings, err := parity.File("changed.onnx", m, w, vocabulary)
		if err != nil {
			if what == export.LayersKey || what == export.PrecisionKey || what == export.FuseKey {
				return // there is no such form
			}
			t.Fatal(err)
		}
		found := slices.ContainsFunc(findings, func(f parity.Finding) bool { return !f.OK && f.Tensor == want })
		if ok := (&parity.Report{Findings: findings}).OK(); ok != (want == "") || found != (want != "") {
			t.Errorf("%s: good %v, the finding %q is there: %v", what, ok, want, found)
		}
	}
	check("nothing", m, "5eed", "")
	check("another vocabulary", m, "dada", "metadata")
	check("no vocabulary", m, "", "metadata")
	for i, p := range m.MetadataProps {
		changed := proto.Clone(m).(*onnx.ModelProto)
		changed.MetadataProps[i].Value = strings.ToUpper(p.Value) + " "
		check(p.Key, changed, "5eed", "metadata")
		changed.MetadataProps = slices.Delete(changed.MetadataProps, i, i+1)
		if p.Key != export.LayersKey && p.Key != export.PrecisionKey { // whose absence has a meaning, and is another file's
			check("without "+p.Key, changed, "5eed", "metadata")
		}
	}
	for what, change := range map[string]func(*onnx.ModelProto){
		"swapped labels": func(m *onnx.ModelProto) {
			for _, p := range m.MetadataProps {
				if p.Key == export.LabelsKey {
					p.Value = `["good","neutral","bad"]`
				}
			}
		},
		"a key twice": func(m *onnx.ModelProto) { m.MetadataProps = append(m.MetadataProps, m.MetadataProps[0]) },
		"another key": func(m *onnx.ModelProto) {
			m.MetadataProps = append(m.MetadataProps, &onnx.StringStringEntryProto{Key: "scales", Value: "x"})
		},
	} {
		changed := proto.Clone(m).(*onnx.ModelProto)
		change(changed)
		check(what, changed, "5eed", "metadata")
	}
	for what, change := range map[string]func(*onnx.ModelProto){
		"an opset":   func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 17 },
		"no opset":   func(m *onnx.ModelProto) { m.OpsetImport = nil },
		"the format": func(m *onnx.ModelProto) { m.IrVersion = 9 },
	} {
		changed := proto.Clone(m).(*onnx.ModelProto)
		change(changed)
		check(what, changed, "5eed", "versions")
	}
}

// A file of another checkpoint is told in a line, and so is an error.
func TestAnotherCheckpointsFile(t *testing.T) {
	w := openGolden(t, "base").weights
	m, _ := exportedWith(t, parity.RandomWeights(w.Config, 3), export.Options{})
	r := parity.NewReport("checkpoint", "native", nil)
	r.AddExport(parity.NewExport("deploy/model.onnx", m, nil, 1))
	findings, err := parity.File("deploy/model.onnx", m, w, "")
	if err != nil {
		t.Fatal(err)
	}
	r.Add(findings...)
	r.Add(parity.Failure("an engine", "native", "run", errors.New("no memory is left")))
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if lines := strings.Count(text, "\n"); lines > 9 || r.OK() || !strings.Contains(text, "it seems to be a file of another checkpoint") ||
		strings.Contains(text, "deploy/model.onnx deploy/model.onnx") || !strings.Contains(text, "an engine: run: no memory is left") {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	r.Findings = r.Failures()
	if r.OK() || !strings.Contains(r.Verdict(), "NOT proven: errors in 1 places, the first: deploy/model.onnx an engine: no memory is left") {
		t.Errorf("the verdict is %q", r.Verdict())
	}
}

// In the other forms the layer is in a body or a function: a change in there is found too.
func TestChangedLayerIsFound(t *testing.T) {
	w := openGolden(t, "base").weights
	for form, damage := range map[export.Layers]func(*onnx.ModelProto){
		export.Loop: func(m *onnx.ModelProto) {
			for _, n := range m.Graph.Node {
				if n.OpType == "Loop" {
					n.Attribute[0].G.Node[3].Input[1], n.Attribute[0].G.Node[3].Input[2] = "x", "y"
				}
			}
		},
		export.Function: func(m *onnx.ModelProto) { m.Functions[0].Node[2].OpType = "MatMul" },
	} {
		m, _ := exportedWith(t, w, export.Options{Layers: form})
		damage(m)
		findings, err := parity.File("damaged.onnx", m, w, "")
		if err != nil {
			t.Fatal(err)
		}
		if r := (parity.Report{Findings: findings}); r.OK() {
			t.Errorf("%s: the report is good", form)
		}
	}
}

func attribute(g *onnx.GraphProto, node, name string) *onnx.AttributeProto {
	for _, n := range g.Node {
		for _, a := range n.Attribute {
			if n.Name == node && a.Name == name {
				return a
			}
		}
	}
	panic("no attribute " + name + " of node " + node)
}

func initializer(g *onnx.GraphProto, name string) *onnx.TensorProto {
	for _, t := range g.Initializer {
		if t.Name == name {
			return t
		}
	}
	panic("no initializer " + name)
}

// An engine that is off by more than the tolerance, gives another shape, or no output, is found; NaN too.
func TestWrongOutputsAreFound(t *testing.T) {
	w := openGolden(t, "base").weights
	reference := native.New(w, 1)
	for what, wrong := range map[string]func(map[string]runtime.Tensor){
		"a small difference": func(out map[string]runtime.Tensor) { out["prediction_logits"].Data.([]float32)[3] += 1e-2 },
		"NaN":                func(out map[string]runtime.Tensor) { out["sop_logits"].Data.([]float32)[0] = float32(math.NaN()) },
		"no output":          func(out map[string]runtime.Tensor) { delete(out, "sop_logits") },
		"another shape": func(out map[string]runtime.Tensor) {
			out["sop_logits"] = runtime.NewTensor(out["sop_logits"].Data.([]float32), 1, len(out["sop_logits"].Data.([]float32)))
		},
	} {
		batches := parity.Batches(sequences(w.Config, 3, 5), 0)
		findings, err := parity.Outputs(context.Background(), reference, wrongSession{reference, wrong}, batches, numeric.Engine)
		if err != nil {
			t.Fatal(err)
		}
		r := parity.Report{Findings: findings}
		if r.OK() {
			t.Errorf("%s: the report is good: %+v", what, findings)
		}
	}
	if r := (&parity.Report{}); r.OK() {
		t.Error("an empty report is good")
	}
}

// wrongSession changes what another session computes.
type wrongSession struct {
	runtime.Session
	wrong func(map[string]runtime.Tensor)
}

func (s wrongSession) Run(ctx context.Context, in map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	out, err := s.Session.Run(ctx, in)
	if err == nil {
		s.wrong(out)
	}
	return out, err
}
