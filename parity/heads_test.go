package parity_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// goldenHeads are a checkpoint of every head, and what transformers computes with it (tools/golden/heads.py), by
// directory; and what must be known of its labels.
var goldenHeads = map[string]struct {
	architecture models.Architecture
	outputs      []string
	labels       []string
	problem      models.ProblemType
}{
	"pretraining":  {models.ForPreTraining, []string{"prediction_logits", "sop_logits"}, nil, ""},
	"masked_lm":    {models.ForMaskedLM, []string{"logits"}, nil, ""},
	"features":     {models.BaseModel, []string{"last_hidden_state", "pooler_output", "sentence_embedding"}, nil, ""},
	"single_label": {models.ForSequenceClassification, []string{"logits"}, []string{"bad", "neutral", "good"}, models.SingleLabel},
	"multi_label": {models.ForSequenceClassification, []string{"logits"},
		[]string{"LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"}, models.MultiLabel},
	"regression": {models.ForSequenceClassification, []string{"logits"}, []string{"LABEL_0"}, models.Regression},
	"tokens":     {models.ForTokenClassification, []string{"logits"}, []string{"O", "B-PER", "I-PER", "B-LOC", "I-LOC"}, ""},
	"answers":    {models.ForQuestionAnswering, []string{"start_logits", "end_logits"}, nil, ""},
	"choices":    {models.ForMultipleChoice, []string{"logits"}, nil, ""},
}

// goldenHead is one of them, with the inputs as engines take them.
type goldenHead struct {
	dir     string
	weights *models.Weights
	tensors map[string]models.SafeTensor
	inputs  map[string]runtime.Tensor
	mask    []int64
	length  int
}

func openHead(t *testing.T, name string) *goldenHead {
	t.Helper()
	g := &goldenHead{dir: filepath.Join("testdata", "heads", name), inputs: map[string]runtime.Tensor{}}
	var err error
	if g.weights, err = models.ReadCheckpoint(g.dir); err != nil {
		t.Fatal(err)
	}
	if g.tensors, err = models.ReadSafetensors(filepath.Join(g.dir, "golden.safetensors")); err != nil {
		t.Fatal(err)
	}
	for _, input := range g.weights.Config.Architecture.Inputs() {
		values, err := g.tensors[input].Int64s()
		if err != nil {
			t.Fatal(err)
		}
		g.inputs[input] = runtime.NewTensor(values, g.tensors[input].Shape...)
	}
	g.mask = g.inputs[models.AttentionMask].Data.([]int64)
	g.length = g.inputs[models.AttentionMask].Shape[len(g.inputs[models.AttentionMask].Shape)-1]
	return g
}

// check runs the golden batch and compares every output. An exported graph computes at hidden positions what
// transformers computes there; native does not compute there at all, and reads the first attended token where
// transformers reads position 0: it is compared where the two mean the same.
func (g *goldenHead) check(t *testing.T, session runtime.Session, outputs []string, everywhere bool, tolerance numeric.Tolerance) {
	t.Helper()
	if !slices.Equal(session.Outputs(), outputs) {
		t.Fatalf("the outputs are %v, want %v", session.Outputs(), outputs)
	}
	got, err := session.Run(context.Background(), g.inputs)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range outputs {
		want, err := g.tensors[name].Float32s()
		if err != nil || len(want) == 0 {
			t.Fatalf("%s: %d values, error %v", name, len(want), err)
		}
		if !slices.Equal(got[name].Shape, g.tensors[name].Shape) {
			t.Fatalf("%s has shape %v, want %v", name, got[name].Shape, g.tensors[name].Shape)
		}
		values := got[name].Data.([]float32)
		if !everywhere {
			values, want = g.comparable(name, values), g.comparable(name, want)
		}
		numeric.Check(t, name, values, want, tolerance)
	}
}

// comparable returns what is there for attended tokens, and for sequences whose position 0 is attended.
func (g *goldenHead) comparable(name string, values []float32) []float32 {
	if name == models.SentenceEmbedding {
		return values
	}
	step := g.length
	if len(values)%len(g.mask) == 0 {
		step = 1 // a place for each token
	}
	columns := len(values) * step / len(g.mask)
	var out []float32
	for i := 0; i*step < len(g.mask); i++ {
		if g.mask[i*step] == 1 {
			out = append(out, values[i*columns:(i+1)*columns]...)
		}
	}
	return out
}

func eachHead(t *testing.T, do func(t *testing.T, g *goldenHead, outputs []string)) {
	for name, head := range goldenHeads {
		t.Run(name, func(t *testing.T) { do(t, openHead(t, name), head.outputs) })
	}
}

// headOptions asks for the sentence embedding where there is one.
func headOptions(g *goldenHead) export.Options {
	return export.Options{Embedding: g.weights.Config.Architecture == models.BaseModel}
}

func TestGoldenHeadsNatively(t *testing.T) {
	eachHead(t, func(t *testing.T, g *goldenHead, outputs []string) {
		g.check(t, native.New(g.weights, 2), outputs, false, numeric.GoldenFloat32)
	})
}

func TestGoldenHeadsInPureGo(t *testing.T) {
	eachHead(t, func(t *testing.T, g *goldenHead, outputs []string) {
		m, path := exportedWith(t, g.weights, headOptions(g))
		session, err := gonnx.Open(path, gonnx.Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		g.check(t, session, outputs, true, numeric.GoldenFloat32)
		checkParity(t, g.weights, m, session)
	})
}

func TestGoldenHeadsInONNXRuntime(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	eachHead(t, func(t *testing.T, g *goldenHead, outputs []string) {
		for _, o := range cells {
			o.Embedding = headOptions(g).Embedding
			m, path := exportedWith(t, g.weights, o)
			session, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			tolerance := numeric.GoldenFloat32
			if o.Precision == export.FP16 {
				tolerance = numeric.EngineHalf
			}
			g.check(t, session, outputs, true, tolerance)
			checkParity(t, g.weights, m, session)
		}
	})
}

// What transformers wrote has the architecture, labels and tensors that it should; written by us it is the same again.
func TestGoldenHeadsRoundTrip(t *testing.T) {
	for name, want := range goldenHeads {
		g := openHead(t, name)
		c := g.weights.Config
		if c.Architecture != want.architecture || c.ProblemType != want.problem ||
			want.labels != nil && !slices.Equal(c.Labels.Names(), want.labels) {
			t.Errorf("%s: got %s of labels %v, problem type %q; want %s, %v, %q", name,
				c.Architecture, c.Labels.Names(), c.ProblemType, want.architecture, want.labels, want.problem)
		}
		dir := filepath.Join(t.TempDir(), name)
		if err := models.WriteDirectory(dir, g.weights.WriteFiles); err != nil {
			t.Fatal(err)
		}
		if config, err := models.ReadConfig(dir); err != nil || config != c {
			t.Errorf("%s: got configuration %+v, error %v; want %+v", name, config, err, c)
		}
		theirs, err := models.ReadSafetensors(filepath.Join(g.dir, models.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := models.ReadSafetensors(filepath.Join(dir, models.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		if !maps.EqualFunc(ours, theirs, models.SafeTensor.Equal) {
			t.Errorf("%s: the tensors written are not those read", name)
		}
	}
}
