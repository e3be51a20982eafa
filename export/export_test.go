package export

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/onnx"
)

func weights(t testing.TB, change func(*models.Config)) *models.Weights {
	t.Helper()
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize = 50
	if change != nil {
		change(&c)
	}
	w := models.NewWeights(c)
	w.Initialize(1)
	return w
}

func file(t testing.TB, w *models.Weights, o Options) []byte {
	t.Helper()
	m, err := Model(w, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := onnx.Write(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every parameter is one initializer with its name, its shape and its numbers; what else there is is small.
func TestEachWeightIsStoredOnce(t *testing.T) {
	for _, form := range []Layers{Unrolled, Loop, Function} {
		t.Run(string(form), func(t *testing.T) { checkInitializers(t, form) })
	}
}

func checkInitializers(t *testing.T, form Layers) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups, c.InnerGroupNum = 6, 2, 2 })
	m, err := Model(w, Options{Layers: form})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, initializer := range m.Graph.Initializer {
		found[initializer.Name] = true
		i := slices.IndexFunc(w.Parameters.Order, func(p *models.Parameter) bool { return p.Name == initializer.Name })
		if i < 0 {
			if len(initializer.RawData) > 64 {
				t.Errorf("constant %s has %d bytes", initializer.Name, len(initializer.RawData))
			}
			continue
		}
		p := w.Parameters.Order[i]
		values, err := initializer.Floats()
		if err != nil || !slices.Equal(values, w.Tensor(p)) || !slices.Equal(initializer.Shape(), p.Shape) {
			t.Errorf("%s: shape %v, want the checkpoint's %v with its numbers (%v)", p.Name, initializer.Shape(), p.Shape, err)
		}
	}
	for _, p := range w.Parameters.Order {
		if !found[p.Name] {
			t.Errorf("%s is missing", p.Name)
		}
	}
}

// ALBERT-base takes at most 47.4 MB, as its 11,813,810 parameters in float32 take 47.3; with a copy of the shared layer
// for each of its twelve uses it would be 341.
func TestSizeOfALBERTBase(t *testing.T) {
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []Layers{Unrolled, Loop, Function} {
		if size := len(file(t, models.NewWeights(c), Options{Layers: form})); size > 47_400_000 || size < 4*11_813_810 {
			t.Errorf("%s: the file has %d bytes, want 47,255,240 of weights and little more", form, size)
		}
		if size := len(file(t, models.NewWeights(c), Options{Layers: form, Precision: FP16})); size > 23_800_000 || size < 2*11_813_810 {
			t.Errorf("%s in fp16: the file has %d bytes, want 23,627,620 of weights and little more", form, size)
		}
	}
}

// The same weights give the same bytes, for every architecture.
func TestReproducible(t *testing.T) {
	for _, architecture := range models.Architectures() {
		w := weights(t, func(c *models.Config) { c.Architecture = architecture })
		for _, form := range []Layers{Unrolled, Loop, Function} {
			for _, precision := range []Precision{FP32, FP16} {
				o := Options{Version: "1", VocabularySHA256: "abc", Layers: form, Precision: precision}
				o.Embedding = architecture == models.BaseModel
				if !bytes.Equal(file(t, w, o), file(t, w, o)) {
					t.Errorf("%s, %s, %s: the same weights gave other bytes", architecture, form, precision)
				}
			}
		}
	}
}

// The outputs of each architecture with their shapes, and the metadata.
func TestOutputsAndMetadata(t *testing.T) {
	for architecture, want := range map[models.Architecture]struct {
		outputs  []string
		metadata map[string]string
	}{
		models.ForPreTraining: {[]string{"prediction_logits [batch sequence 50]", "sop_logits [batch 2]"},
			map[string]string{TaskKey: "pre-training", LabelsKey: ""}},
		models.ForMaskedLM: {[]string{"logits [batch sequence 50]"}, map[string]string{TaskKey: "fill-mask", TaskParamsKey: ""}},
		models.BaseModel: {[]string{"last_hidden_state [batch sequence 128]", "pooler_output [batch 128]"},
			map[string]string{TaskKey: "feature-extraction", EmbeddingKey: ""}},
		models.ForSequenceClassification: {[]string{"logits [batch 3]"},
			map[string]string{TaskKey: "text-classification", LabelsKey: `["a","b c","é"]`, ProblemTypeKey: "single_label_classification"}},
		models.ForTokenClassification: {[]string{"logits [batch sequence 3]"},
			map[string]string{TaskKey: "token-classification", LabelsKey: `["a","b c","é"]`, ProblemTypeKey: ""}},
		models.ForQuestionAnswering: {[]string{"start_logits [batch sequence]", "end_logits [batch sequence]"},
			map[string]string{TaskKey: "question-answering", LabelsKey: "", TaskParamsKey: `{"task":"squad2","max_length":384,"no_answer":true}`}},
		models.ForMultipleChoice: {[]string{"logits [batch choices]"}, map[string]string{TaskKey: "multiple-choice", LabelsKey: ""}},
	} {
		w := weights(t, func(c *models.Config) {
			c.Architecture = architecture
			if architecture != models.ForQuestionAnswering {
				c.Labels = models.NewLabels("a", "b c", "é")
			} else {
				c.TaskParams = models.TaskParams{Task: "squad2", MaxLength: 384, NoAnswer: true}
			}
		})
		m, err := Model(w, Options{Version: "1.2", VocabularySHA256: "abc"})
		if err != nil {
			t.Fatal(err)
		}
		var outputs []string
		for _, v := range m.Graph.Output {
			outputs = append(outputs, v.Name+dims(v))
		}
		if !slices.Equal(outputs, want.outputs) {
			t.Errorf("%s: outputs %v, want %v", architecture, outputs, want.outputs)
		}
		want.metadata[ArchitectureKey], want.metadata[MaxLengthKey], want.metadata[VocabularySHA256Key] = string(architecture), "128", "abc"
		for key, value := range want.metadata {
			if m.Metadata(key) != value {
				t.Errorf("%s: %s is %q, want %q", architecture, key, m.Metadata(key), value)
			}
		}
		if m.ProducerName != "goalbert" || m.ProducerVersion != "1.2" {
			t.Errorf("%s: producer %s %s", architecture, m.ProducerName, m.ProducerVersion)
		}
		if o := OptionsOf(m); !reflect.DeepEqual(o, Options{Version: "1.2", VocabularySHA256: "abc", Layers: Unrolled, Precision: FP32}) {
			t.Errorf("%s: the file says that its options were %+v", architecture, o)
		}
		for _, n := range m.Graph.Node {
			if n.OpType == "Dropout" {
				t.Errorf("%s: there is dropout", architecture)
			}
		}
	}
}

// dims writes the shape of a value as " [batch 2]".
func dims(v *onnx.ValueInfoProto) string {
	var list []string
	for _, d := range v.GetType().GetTensorType().GetShape().GetDim() {
		if name := d.GetDimParam(); name != "" {
			list = append(list, name)
		} else {
			list = append(list, strconv.FormatInt(d.GetDimValue(), 10))
		}
	}
	return " [" + strings.Join(list, " ") + "]"
}

func TestSentenceEmbedding(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.Architecture = models.BaseModel })
	m, err := Model(w, Options{Embedding: true})
	if err != nil {
		t.Fatal(err)
	}
	if last := m.Graph.Output[len(m.Graph.Output)-1]; len(m.Graph.Output) != 3 || last.Name+dims(last) != "sentence_embedding [batch 128]" {
		t.Errorf("the outputs are %v", m.Graph.Output)
	}
	if !OptionsOf(m).Embedding || m.Metadata(EmbeddingKey) != "mean, normalized" {
		t.Errorf("the metadata are %v", m.MetadataProps)
	}
	if _, err := Model(weights(t, nil), Options{Embedding: true}); err == nil ||
		!strings.Contains(err.Error(), "output of task feature-extraction, the task is pre-training") {
		t.Errorf("got error %v", err)
	}
}

// The graph of the shared layer: each use has its own nodes, and all read the same tensors.
func TestLayersShareTheirWeights(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups = 5, 2 })
	m, err := Model(w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, n := range m.Graph.Node {
		if strings.HasSuffix(n.Name, ".ffn_output") {
			groups = append(groups, strings.Split(n.Input[1], ".")[3])
		}
	}
	if want := []string{"0", "0", "0", "1", "1"}; !slices.Equal(groups, want) {
		t.Errorf("the depths use groups %v, want %v", groups, want)
	}
}

// A Loop for each group, of as many rounds as the group has depths, over a body of all layers of the group.
func TestLoopsOverGroups(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups, c.InnerGroupNum = 5, 2, 2 })
	m, err := Model(w, Options{Layers: Loop})
	if err != nil {
		t.Fatal(err)
	}
	var rounds []string
	for _, n := range m.Graph.Node {
		if n.OpType != "Loop" {
			continue
		}
		rounds = append(rounds, n.Input[0])
		layers := 0
		for _, inner := range n.Attribute[0].G.Node {
			if inner.OpType == "Softmax" {
				layers++
			}
		}
		if layers != 2 {
			t.Errorf("the body of %s has %d layers, want 2", n.Name, layers)
		}
	}
	if want := []string{"constant.int64.3", "constant.int64.2"}; !slices.Equal(rounds, want) {
		t.Errorf("the loops have %v rounds, want %v", rounds, want)
	}
}

// One function is called for each use of a layer, with the weights of the use's group.
func TestCallsOfTheFunction(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups = 5, 2 })
	m, err := Model(w, Options{Layers: Function})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Functions) != 1 || m.OpsetVersion(functionDomain) != 1 {
		t.Fatalf("%d functions, domain of version %d; want one of each", len(m.Functions), m.OpsetVersion(functionDomain))
	}
	weight := slices.Index(m.Functions[0].Input, "ffn.weight")
	var groups []string
	for _, n := range m.Graph.Node {
		if n.Domain == functionDomain {
			groups = append(groups, strings.Split(n.Input[weight], ".")[3])
		}
	}
	if want := []string{"0", "0", "0", "1", "1"}; !slices.Equal(groups, want) {
		t.Errorf("the calls use groups %v, want %v", groups, want)
	}
}

// In float16 the parameters of norms are float32 still, as are inputs of norms and of softmax, and all outputs.
func TestFP16KeepsNormsAndSoftmax(t *testing.T) {
	w := weights(t, nil)
	m, err := Model(w, Options{Precision: FP16})
	if err != nil {
		t.Fatal(err)
	}
	half := map[string]bool{} // values of type float16, as far as they can be inferred from where they come
	norms := w.Parameters.Norms()
	for _, initializer := range m.Graph.Initializer {
		half[initializer.Name] = initializer.DataType == int32(onnx.TensorProto_FLOAT16)
	}
	for _, p := range w.Parameters.Order {
		if half[p.Name] == norms[p] {
			t.Errorf("%s: float16 is %v, of a norm is %v", p.Name, half[p.Name], norms[p])
		}
	}
	for _, n := range m.Graph.Node {
		some, every := false, true
		for _, input := range n.Input {
			some = some || half[input]
			every = every && half[input]
		}
		switch n.OpType {
		case "Cast":
			some = n.Attribute[0].I == int64(onnx.TensorProto_FLOAT16)
		case "Gemm", "MatMul":
			if !every {
				t.Errorf("%s: not all factors are float16: %v", n.Name, n.Input)
			}
		case "LayerNormalization", "Softmax", "Tanh":
			if some && !strings.Contains(n.Name, "ffn_activation") {
				t.Errorf("%s is computed in float16", n.Name)
			}
		}
		half[n.Name] = some
	}
	for _, v := range m.Graph.Output {
		if half[v.Name] || v.GetType().GetTensorType().ElemType != int32(onnx.TensorProto_FLOAT) {
			t.Errorf("output %s is not float32", v.Name)
		}
	}
}

func TestFP16RefusesLargeWeights(t *testing.T) {
	w := weights(t, nil)
	w.Tensor(w.Parameters.LayerGroups[0][0].FFN.Weight)[5] = 1e5
	if _, err := Model(w, Options{Precision: FP16}); err == nil ||
		!strings.Contains(err.Error(), "ffn.weight: 100000 at 5 is larger than a float16") {
		t.Errorf("got error %v", err)
	}
	if _, err := Model(w, Options{Precision: "fp8"}); err == nil || !strings.Contains(err.Error(), `precision is "fp8", want fp32, fp16, int8 or int4`) {
		t.Errorf("got error %v", err)
	}
}

func TestUnknownLayersAreRefused(t *testing.T) {
	if _, err := Model(weights(t, nil), Options{Layers: "rolled"}); err == nil ||
		!strings.Contains(err.Error(), `layers is "rolled", want unrolled, loop or function`) {
		t.Errorf("got error %v", err)
	}
}

func TestWriteNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "model.onnx")
	if err := Write(path, weights(t, nil), Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names %s", err, path)
	}
}

// Fused operators keep each weight as the checkpoint has it, take the place of all that they stand for, and are refused in
// the cells that have none.
func TestFusedOperators(t *testing.T) {
	for activation, operator := range map[models.Activation]string{models.GELU: "Gelu", models.GELUNew: "FastGelu", models.ReLU: "Relu"} {
		w := weights(t, func(c *models.Config) { c.HiddenAct, c.NumHiddenLayers = activation, 3 })
		for _, precision := range []Precision{FP32, FP16} {
			o := Options{Precision: precision, Fuse: FuseORT}
			m, err := Model(w, o)
			if err != nil {
				t.Fatal(err)
			}
			counts := map[string]int{}
			for _, n := range m.Graph.Node {
				counts[n.OpType]++
			}
			for name, want := range map[string]int{
				"MultiHeadAttention": 3, "SkipLayerNormalization": 6, operator: 4, "LayerNormalization": 2, "Softmax": 0, "Erf": 0,
			} {
				if counts[name] != want {
					t.Errorf("%s, %s: %d nodes of %s, want %d", activation, precision, counts[name], name, want)
				}
			}
			if m.OpsetVersion(onnx.Microsoft) != 1 || OptionsOf(m).Fuse != FuseORT {
				t.Errorf("domain of version %d, options %+v", m.OpsetVersion(onnx.Microsoft), OptionsOf(m))
			}
			plain, err := Model(w, Options{Precision: precision})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range w.Parameters.Order {
				same := func(a *onnx.TensorProto) bool { return a.Name == p.Name }
				a := m.Graph.Initializer[slices.IndexFunc(m.Graph.Initializer, same)]
				b := plain.Graph.Initializer[slices.IndexFunc(plain.Graph.Initializer, same)]
				if !bytes.Equal(a.RawData, b.RawData) || !slices.Equal(a.Dims, b.Dims) {
					t.Errorf("%s, %s: %s is not what it is in standard operators", activation, precision, p.Name)
				}
			}
		}
	}
	for want, o := range map[string]Options{
		"fused operators are for layers unrolled, the layers are loop":           {Fuse: FuseORT, Layers: Loop},
		"fused operators are for layers unrolled, the layers are function":       {Fuse: FuseORT, Layers: Function},
		"fused operators are for precision fp32 and fp16, the precision is int8": {Fuse: FuseORT, Precision: INT8},
		"fused operators are for precision fp32 and fp16, the precision is int4": {Fuse: FuseORT, Precision: INT4},
		`fuse is "tensorrt", want ort, or none for standard operators`:           {Fuse: "tensorrt"},
	} {
		if _, err := Model(weights(t, nil), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}
