package models

import (
	"fmt"
	"strings"
)

// preset is a released model, or the small one for demonstrations and tests.
type preset struct {
	name   string
	config Config
}

// presets writes out the configurations of huggingface.co/albert/albert-{base,large,xlarge,xxlarge}-{v1,v2}.
// v1 was trained with dropout (but for xxlarge) and loads with the erf GELU, v2 without dropout and with its tanh form.
var presets = []preset{
	{"albert-tiny", albertTiny()},
	{"albert-base-v1", released(768, 12, 12, 3072, GELU, 0.1)},
	{"albert-large-v1", released(1024, 24, 16, 4096, GELU, 0.1)},
	{"albert-xlarge-v1", released(2048, 24, 16, 8192, GELU, 0.1)},
	{"albert-xxlarge-v1", released(4096, 12, 64, 16384, GELU, 0)},
	{"albert-base-v2", released(768, 12, 12, 3072, GELUNew, 0)},
	{"albert-large-v2", released(1024, 24, 16, 4096, GELUNew, 0)},
	{"albert-xlarge-v2", released(2048, 24, 16, 8192, GELUNew, 0)},
	{"albert-xxlarge-v2", released(4096, 12, 64, 16384, GELUNew, 0)},
}

func released(hidden, layers, heads, intermediate int, act Activation, dropout float64) Config {
	return Config{
		Architecture:              ForPreTraining,
		VocabSize:                 30000,
		EmbeddingSize:             128,
		HiddenSize:                hidden,
		NumHiddenLayers:           layers,
		NumHiddenGroups:           1,
		InnerGroupNum:             1,
		NumAttentionHeads:         heads,
		IntermediateSize:          intermediate,
		HiddenAct:                 act,
		MaxPositionEmbeddings:     512,
		TypeVocabSize:             2,
		HiddenDropoutProb:         dropout,
		AttentionProbsDropoutProb: dropout,
		ClassifierDropoutProb:     0.1,
		InitializerRange:          0.02,
		LayerNormEps:              1e-12,
		PadTokenID:                0,
		BOSTokenID:                2,
		EOSTokenID:                3,
	}
}

// albertTiny learns something in minutes on a laptop.
func albertTiny() Config {
	c := released(128, 2, 2, 512, GELUNew, 0)
	c.VocabSize = 8000
	c.EmbeddingSize = 64
	c.MaxPositionEmbeddings = 128
	c.ClassifierDropoutProb = 0
	return c
}

// PresetNames lists the names that [Preset] knows.
func PresetNames() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}

// Preset returns the configuration of that name.
func Preset(name string) (Config, error) {
	for _, p := range presets {
		if p.name == name {
			return p.config, nil
		}
	}
	return Config{}, fmt.Errorf("models: no preset %q; want one of %s", name, strings.Join(PresetNames(), ", "))
}
