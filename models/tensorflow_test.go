package models

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testdata/google has variables by Google's names, the optimizer's too, and the tensors that transformers' own conversion
// makes of them (tools/golden/google_names.py).
func TestReadCheckpointOfGoogle(t *testing.T) {
	dir := filepath.Join("testdata", "google")
	got, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ReadSafetensors(filepath.Join(dir, "transformers.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != len(got.Parameters.Order) {
		t.Errorf("transformers has %d tensors, want %d", len(want), len(got.Parameters.Order))
	}
	for _, p := range got.Parameters.Order {
		values, err := want[p.Name].Float32s()
		if err != nil || !slices.Equal(want[p.Name].Shape, p.Shape) || !slices.Equal(values, got.Tensor(p)) {
			t.Errorf("%s is not what transformers makes of it (error %v)", p.Name, err)
		}
	}
	if got.Config.HiddenAct != GELUNew {
		t.Errorf("the activation is %s, want %s: Google's gelu is the tanh form", got.Config.HiddenAct, GELUNew)
	}

	c, err := ReadConfig(dir)
	if err != nil || c != got.Config {
		t.Errorf("the configuration is %+v, error %v; want that of the weights, %+v", c, err, got.Config)
	}
	c.Architecture = BaseModel
	_, loaded, err := ReadAs(dir, c, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.New) > 0 || !loaded.Google || !slices.Contains(loaded.Dropped, "cls/predictions/output_bias") ||
		slices.ContainsFunc(loaded.Dropped, func(name string) bool { return strings.Contains(name, "adam") || name == "global_step" }) {
		t.Errorf("as an AlbertModel: %+v; want the heads dropped by their names, and nothing said of the optimizer", loaded)
	}
	if text := loaded.String(); !strings.Contains(text, "Google's TensorFlow code") {
		t.Errorf("the sentence is %q", text)
	}
}

// The names that the golden file has not: with the scope of a TF-Hub module, with the number of an output, and those of a
// fine-tuned classifier.
func TestNamesOfGoogle(t *testing.T) {
	for name, want := range map[string]string{
		"module/bert/pooler/dense/kernel":   "pooler.weight transposed",
		"bert/embeddings/word_embeddings:0": "embeddings.word_embeddings.weight",
		"output_weights":                    "classifier.weight",
		"output_bias":                       "classifier.bias",
		"output_bias/lamb_m":                "ignored",
		"bert/encoder/transformer/group_3/inner_group_0/ffn_1/intermediate/output/dense/kernel": "encoder.albert_layer_groups.3.albert_layers.0.ffn_output.weight transposed",
		"bert/encoder/layer_0/output/dense/kernel":                                              "bert/encoder/layer_0/output/dense/kernel",
		"bert/pooler/dense/gamma_1":                                                             "bert/pooler/dense/gamma_1",
	} {
		c := canonical(name)
		got := c.name
		if c.transposed {
			got += " transposed"
		}
		if c.ignored {
			got = "ignored"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// The configurations of albert_zh: seven are ALBERTs, with transformers' default for what they leave out; the two others are
// refused for what they are.
func TestParseChineseConfigs(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "vocab-zh")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("needs the configurations in %s: %v", dir, err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "albert_config_*.json"))
	if len(files) != 9 {
		t.Errorf("%s has %d configurations, want 9", dir, len(files))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseConfig(text)
		switch filepath.Base(file) {
		case "albert_config_xxlarge.json":
			if err == nil || err.Error() != `ln_type is "preln", only "postln" is supported` {
				t.Errorf("%s: got error %v, want that its norms come first", file, err)
			}
		case "albert_config_tiny_google_fast.json":
			if err == nil || !strings.Contains(err.Error(), "num_hidden_groups 12 is more than num_hidden_layers 4") {
				t.Errorf("%s: got error %v, want that 4 layers have 12 groups", file, err)
			}
		default:
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if c.VocabSize != 21128 || c.EmbeddingSize != 128 || c.InnerGroupNum != 1 || c.LayerNormEps != 1e-12 ||
				c.ClassifierDropoutProb != 0.1 || c.Architecture != ForPreTraining {
				t.Errorf("%s: got %+v", file, c)
			}
		}
	}
}
