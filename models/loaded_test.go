package models

import (
	"bytes"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeAs writes tensors and a configuration as a checkpoint directory.
func writeAs(t *testing.T, c Config, tensors []NamedTensor) string {
	t.Helper()
	dir := t.TempDir()
	if err := (&Weights{Config: c}).WriteConfig(dir); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteSafetensors(&out, tensors); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, WeightsFile), out.Bytes())
	return dir
}

func classifierConfig(labels ...string) Config {
	c := tinyConfig()
	c.Architecture, c.Labels = ForSequenceClassification, NewLabels(labels...)
	return c
}

// An encoder that was pre-trained begins a classifier: its numbers are the checkpoint's, the classifier's those of the seed.
func TestReadAsNamesNewAndDropped(t *testing.T) {
	pretrained := tinyWeights()
	c := classifierConfig("bad", "neutral", "good")
	got, loaded, err := ReadAs(writeAs(t, pretrained.Config, pretrained.Tensors()), c, 7)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"classifier.bias", "classifier.weight"}; !slices.Equal(loaded.New, want) {
		t.Errorf("new are %v, want %v", loaded.New, want)
	}
	dropped := []string{
		"predictions.LayerNorm.bias", "predictions.LayerNorm.weight", "predictions.bias", "predictions.dense.bias",
		"predictions.dense.weight", "sop_classifier.classifier.bias", "sop_classifier.classifier.weight",
	}
	if !slices.Equal(loaded.Dropped, dropped) {
		t.Errorf("dropped are %v, want %v", loaded.Dropped, dropped)
	}
	fresh := NewWeights(c)
	fresh.Initialize(7)
	for _, p := range got.Parameters.Order {
		want := fresh.Tensor(p)
		if p != got.Parameters.Classifier.Weight && p != got.Parameters.Classifier.Bias {
			want = pretrained.Tensor(pretrained.Parameters.named(p.Name))
		}
		if !slices.Equal(got.Tensor(p), want) {
			t.Errorf("%s has other numbers", p.Name)
		}
	}
	if text := loaded.String(); !strings.HasPrefix(text, "classifier.bias and classifier.weight are new") ||
		!strings.Contains(text, "sop_classifier.classifier.bias and sop_classifier.classifier.weight are not used") {
		t.Errorf("the sentence is %q", text)
	}
}

// A checkpoint read as what it is has nothing new, nothing dropped and nothing to say.
func TestReadAsItself(t *testing.T) {
	w := tinyWeights()
	got, loaded, err := ReadAs(writeAs(t, w.Config, w.Tensors()), w.Config, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Data, w.Data) || len(loaded.New)+len(loaded.Dropped) > 0 || loaded.String() != "" {
		t.Errorf("got %+v, %q; want the same weights and nothing else", loaded, loaded.String())
	}
}

// A classifier of the same labels and architecture is taken along, and of as many where one side has numbers alone; of
// other names, another number or architecture it is new.
func TestReadAsKeepsAClassifierOfTheSameTask(t *testing.T) {
	w := NewWeights(classifierConfig("a", "b", "c"))
	w.Initialize(5)
	dir := writeAs(t, w.Config, w.Tensors())
	tokens := classifierConfig("x", "y", "z")
	tokens.Architecture = ForTokenClassification
	for _, test := range []struct {
		c    Config
		kept bool
	}{
		{classifierConfig("a", "b", "c"), true},
		{classifierConfig("0", "1", "2"), true},
		{classifierConfig("LABEL_0", "LABEL_1", "LABEL_2"), true},
		{classifierConfig("x", "y", "z"), false},
		{classifierConfig("c", "b", "a"), false},
		{classifierConfig("x", "y"), false},
		{tokens, false},
	} {
		got, loaded, err := ReadAs(dir, test.c, 6)
		if err != nil {
			t.Fatal(err)
		}
		kept := slices.Equal(got.Tensor(got.Parameters.Classifier.Weight), w.Tensor(w.Parameters.Classifier.Weight))
		if kept != test.kept || slices.Contains(loaded.New, "classifier.weight") == test.kept ||
			slices.Contains(loaded.Dropped, "classifier.weight") == test.kept {
			t.Errorf("%s of %d labels: the classifier is kept: %v, %+v", test.c.Architecture, test.c.Labels.Len(), kept, loaded)
		}
	}
}

// With and without the encoder's prefix, in both directions; and norms by their names of old.
func TestReadAsNamesOfOthers(t *testing.T) {
	w := tinyWeights()
	bare := w.Tensors()
	for i := range bare {
		name := strings.TrimPrefix(bare[i].Name, "albert.")
		name = strings.Replace(name, "LayerNorm.weight", "LayerNorm.gamma", 1)
		bare[i].Name = strings.Replace(name, "LayerNorm.bias", "LayerNorm.beta", 1)
	}
	if !slices.ContainsFunc(bare, func(t NamedTensor) bool { return t.Name == "embeddings.LayerNorm.gamma" }) {
		t.Fatal("nothing was renamed")
	}
	got, err := ReadCheckpoint(writeAs(t, w.Config, bare))
	if err != nil || !slices.Equal(got.Data, w.Data) {
		t.Errorf("without prefix: error %v, want the same weights", err)
	}
	c := w.Config
	c.Architecture = BaseModel
	features, loaded, err := ReadAs(writeAs(t, w.Config, w.Tensors()), c, 0)
	if err != nil || len(loaded.New) > 0 {
		t.Fatalf("with the prefix: error %v, %+v", err, loaded)
	}
	p := features.Parameters.LayerGroups[1][0].FFN.Weight
	if p.Name != "encoder.albert_layer_groups.1.albert_layers.0.ffn.weight" ||
		!slices.Equal(features.Tensor(p), w.Tensor(w.Parameters.LayerGroups[1][0].FFN.Weight)) {
		t.Errorf("%s has other numbers", p.Name)
	}
}

// The tied decoder alone is the word embeddings, where a writer kept that one of the two.
func TestReadAsTakesTheTwinForTheOther(t *testing.T) {
	w := tinyWeights()
	tensors := w.Tensors()
	for i := range tensors {
		switch tensors[i].Name {
		case "albert.embeddings.word_embeddings.weight":
			tensors[i].Name = "predictions.decoder.weight"
		case "predictions.bias":
			tensors[i].Name = "predictions.decoder.bias"
		}
	}
	got, err := ReadCheckpoint(writeAs(t, w.Config, tensors))
	if err != nil || !slices.Equal(got.Data, w.Data) {
		t.Errorf("error %v, want the same weights", err)
	}
}

// A checkpoint as many on the hub are, an AlbertForMaskedLM with the pooler beside it, is a model without, and one with it
// is not as strange: what neither architecture has is named.
func TestReadModelLeavesOutTheSurplus(t *testing.T) {
	w := tinyWeights()
	c := w.Config
	c.Architecture = ForMaskedLM
	own := slices.DeleteFunc(w.Tensors(), func(t NamedTensor) bool { return strings.HasPrefix(t.Name, "sop_classifier.") })
	dir := writeAs(t, c, own)
	if _, err := ReadCheckpoint(dir); err == nil || !strings.Contains(err.Error(), "albert.pooler.bias is not part of an AlbertForMaskedLM") {
		t.Errorf("ReadCheckpoint: got error %v, want the pooler refused", err)
	}
	for _, test := range []struct {
		a       Architecture
		dropped []string
	}{
		{"", []string{"albert.pooler.bias", "albert.pooler.weight"}},
		{ForMaskedLM, []string{"albert.pooler.bias", "albert.pooler.weight"}},
		{BaseModel, nil},
	} {
		got, loaded, err := ReadModel(dir, test.a)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(loaded.Dropped, test.dropped) || len(loaded.New) > 0 {
			t.Errorf("as %q: %+v, want %v dropped and nothing new", test.a, loaded, test.dropped)
		}
		want, err := w.As(got.Config.Architecture)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Data, want.Data) {
			t.Errorf("as %q: other numbers", test.a)
		}
	}
	part := func(name string) func(NamedTensor) bool { return func(t NamedTensor) bool { return t.Name == name } }
	deeper := tinyConfig()
	deeper.NumHiddenGroups = 1
	for _, test := range []struct {
		name, want string
		tensors    []NamedTensor
		c          Config
		a          Architecture
	}{
		{"a head that is not there", "tensor predictions.bias is missing", slices.DeleteFunc(w.Tensors(), part("predictions.bias")), c, ""},
		{"a head of the other", "an AlbertForMaskedLM has no trained sop_classifier.classifier.bias, which an AlbertForPreTraining needs", own, c, ForPreTraining},
		{"a classifier", "an AlbertForMaskedLM has no trained classifier.bias, which an AlbertForTokenClassification needs", own, c, ForTokenClassification},
		{"an encoder with more", "is of an encoder that is not the one of config.json", w.Tensors(), deeper, ""},
	} {
		dir := writeAs(t, test.c, test.tensors)
		if _, _, err := ReadModel(dir, test.a); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got error %v, want one that names the directory and says %q", test.name, err, test.want)
		}
	}
}

func TestReadAsRefuses(t *testing.T) {
	w := tinyWeights()
	const ffn = "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"
	without := slices.DeleteFunc(w.Tensors(), func(t NamedTensor) bool { return t.Name == ffn })
	twice := append(w.Tensors(), NamedTensor{Name: "pooler.bias", Shape: []int{16}, Data: make([]float32, 16)})
	wide := tinyConfig()
	wide.HiddenSize = 32
	invalid := tinyConfig()
	invalid.NumAttentionHeads = 3
	for _, test := range []struct {
		name, want string
		tensors    []NamedTensor
		as         Config
	}{
		{"an encoder that is not whole", "tensor " + ffn + " is missing, want shape [24 16]", without, classifierConfig("a", "b")},
		{"a name twice", "tensors albert.pooler.bias and pooler.bias are the same parameter", twice, tinyConfig()},
		{"another width", "has shape [16 8], want [32 8]", w.Tensors(), wide},
		{"no ALBERT", "hidden_size 16 is not a multiple of num_attention_heads 3", w.Tensors(), invalid},
	} {
		dir := writeAs(t, w.Config, test.tensors)
		_, _, err := ReadAs(dir, test.as, 0)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got error %v, want one that names the directory and says %q", test.name, err, test.want)
		}
	}
}

// Tensors of other floating-point types are brought to float32 and counted; of whole numbers they are refused.
func TestReadAsWidens(t *testing.T) {
	w := NewWeights(tinyConfig()) // of numbers that every type has
	for i := range w.Data {
		w.Data[i] = float32(i%64)/8 - 4
	}
	for dtype, encode := range map[string]func(float32) []byte{
		"F16": func(x float32) []byte { return binary.LittleEndian.AppendUint16(nil, halfOf(x)) },
		"BF16": func(x float32) []byte {
			return binary.LittleEndian.AppendUint16(nil, uint16(math.Float32bits(x)>>16))
		},
		"F64": func(x float32) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(x))) },
		"I32": func(x float32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(x)) },
	} {
		tensors := map[string]SafeTensor{}
		for _, n := range w.Tensors() {
			var b []byte
			for _, x := range n.Data {
				b = append(b, encode(x)...)
			}
			tensors[n.Name] = SafeTensor{DType: dtype, Shape: n.Shape, Bytes: b}
		}
		got := NewWeights(w.Config)
		loaded, err := got.adopt(tensors, true)
		if dtype == "I32" {
			if err == nil || !strings.Contains(err.Error(), "has type I32, want F32, F64, F16 or BF16") {
				t.Errorf("%s: got error %v", dtype, err)
			}
			continue
		}
		if err != nil || !slices.Equal(got.Data, w.Data) || loaded.Widened[dtype] != len(tensors) {
			t.Errorf("%s: error %v, %+v; want the same numbers and all counted", dtype, err, loaded)
		}
		if text := loaded.String(); !strings.Contains(text, "tensors of "+dtype) {
			t.Errorf("%s: the sentence is %q", dtype, text)
		}
	}
}

// halfOf returns the binary16 of a number that has one.
func halfOf(x float32) uint16 {
	for h := range uint16(0xffff) {
		if fromHalf(h) == x {
			return h
		}
	}
	panic("no binary16 is that number")
}
