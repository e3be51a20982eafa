package models

import (
	"encoding/json"
	"strings"
	"testing"
)

// The counts are those of transformers' AlbertForPreTraining for the released configurations.
func TestParameterCounts(t *testing.T) {
	for name, want := range map[string]int{
		"albert-base-v1":    11_813_810,
		"albert-base-v2":    11_813_810,
		"albert-large-v1":   17_847_474,
		"albert-large-v2":   17_847_474,
		"albert-xlarge-v1":  59_021_490,
		"albert-xlarge-v2":  59_021_490,
		"albert-xxlarge-v1": 223_158_450,
		"albert-xxlarge-v2": 223_158_450,
	} {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewParameters(c).Size; got != want {
			t.Errorf("%s has %d parameters, want %d", name, got, want)
		}
	}
}

func TestPresetsAreValid(t *testing.T) {
	for _, name := range PresetNames() {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Preset("albert-huge"); err == nil || !strings.Contains(err.Error(), "albert-tiny") {
		t.Errorf("unknown preset: got %v, want an error that lists the known ones", err)
	}
}

func TestConfigRoundTrip(t *testing.T) {
	for _, name := range PresetNames() {
		want, _ := Preset(name)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseConfig(text)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

// An absent key has transformers' default.
func TestParseConfigDefaults(t *testing.T) {
	c, err := ParseConfig([]byte(`{"model_type": "albert"}`))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := Preset("albert-xxlarge-v2"); c != want {
		t.Errorf("got %+v, want the shape of xxlarge, %+v", c, want)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`{`, "not a JSON object"},
		{`[]`, "not a JSON object"},
		{`{"hidden_size": 770, "num_attention_heads": 12}`, "hidden_size 770 is not a multiple of num_attention_heads 12"},
		{`{"hidden_size": "768"}`, `hidden_size is "768", want a whole number`},
		{`{"hidden_size": 768.5}`, "hidden_size is 768.5, want a whole number"},
		{`{"hidden_size": null}`, "hidden_size is null, want a whole number"},
		{`{"hidden_size": 0}`, "hidden_size is 0, want 1 to"},
		{`{"vocab_size": 999999999999}`, "vocab_size is 999999999999"},
		{`{"hidden_act": "tanh"}`, `hidden_act is "tanh", want gelu, gelu_new, relu or silu`},
		{`{"hidden_dropout_prob": 1}`, "hidden_dropout_prob is 1, want a probability below 1"},
		{`{"attention_probs_dropout_prob": -0.1}`, "attention_probs_dropout_prob is -0.1"},
		{`{"classifier_dropout_prob": 2}`, "classifier_dropout_prob is 2"},
		{`{"layer_norm_eps": 0}`, "layer_norm_eps is 0"},
		{`{"num_hidden_groups": 13}`, "num_hidden_groups 13 is more than num_hidden_layers 12"},
		{`{"position_embedding_type": "relative_key"}`, `position_embedding_type is "relative_key", only "absolute" is supported`},
		{`{"model_type": "bert"}`, `model_type is "bert", only "albert" is supported`},
		{`{"tie_word_embeddings": false}`, "tie_word_embeddings is false, only true is supported"},
		{`{"pruned_heads": {"0": [1]}}`, "pruned_heads"},
		{`{"down_scale_factor": 2}`, "down_scale_factor is 2, only 1 is supported"},
		{`{"vocab_size": 100, "pad_token_id": 100}`, "pad_token_id is 100, outside the vocabulary of 100"},
		{`{"architectures": ["BertModel"]}`, `architecture is "BertModel", want`},
		{`{"hidden_sice": 768}`, "unknown key hidden_sice"},
	} {
		_, err := ParseConfig([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one that says %q", test.text, err, test.want)
		}
	}
}

// Keys of released files that change nothing are accepted.
func TestParseConfigAcceptsReleasedFiles(t *testing.T) {
	_, err := ParseConfig([]byte(`{"_name_or_path": "x", "architectures": ["AlbertForMaskedLM"], "down_scale_factor": 1,
		"gap_size": 0, "net_structure_type": 0, "num_memory_blocks": 0, "position_embedding_type": "absolute",
		"torch_dtype": "float32", "transformers_version": "4.57.1", "pruned_heads": { }, "hidden_dropout_prob": 0}`))
	if err != nil {
		t.Error(err)
	}
}

// Google's and transformers' floating-point forms agree with ⌊i·G/L⌋ for the released depths.
func TestLayerGroup(t *testing.T) {
	for _, layers := range []int{1, 2, 6, 12, 24} {
		for groups := 1; groups <= layers; groups++ {
			if layers%groups != 0 {
				continue
			}
			c := Config{NumHiddenLayers: layers, NumHiddenGroups: groups}
			for i := range layers {
				google := int(float64(i) / float64(layers) * float64(groups))
				transformers := int(float64(i) / (float64(layers) / float64(groups)))
				if got := c.LayerGroup(i); got != google || got != transformers {
					t.Errorf("layer %d of %d in %d groups: got %d, Google %d, transformers %d",
						i, layers, groups, got, google, transformers)
				}
			}
		}
	}
	// Where they do not, ours is the exact quotient: layer 15 of 22 in 22 groups is its own group.
	if got := (Config{NumHiddenLayers: 22, NumHiddenGroups: 22}).LayerGroup(15); got != 15 {
		t.Errorf("layer 15 of 22 in 22 groups: got %d", got)
	}
}
