package models

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Config is the shape of an ALBERT: the keys of transformers' AlbertConfig that decide what is computed.
type Config struct {
	Architecture Architecture // the first of "architectures"

	VocabSize             int // V
	EmbeddingSize         int // E
	HiddenSize            int // H
	NumHiddenLayers       int // L
	NumHiddenGroups       int // layers are divided into this many groups, each with weights of its own
	InnerGroupNum         int // layers applied one after the other at each of the L depths
	NumAttentionHeads     int // A
	IntermediateSize      int // I
	HiddenAct             Activation
	MaxPositionEmbeddings int
	TypeVocabSize         int

	HiddenDropoutProb         float64 // after the embeddings and after both halves of a layer
	AttentionProbsDropoutProb float64
	ClassifierDropoutProb     float64 // before a classifier, the sentence head's too

	InitializerRange float64 // standard deviation of the initial weights
	LayerNormEps     float64

	PadTokenID, BOSTokenID, EOSTokenID int // <pad>, [CLS], [SEP]

	Labels      Labels      // id2label: the classes of a classifier
	ProblemType ProblemType // what they are to each other; may be empty

	TaskParams TaskParams // what it was fine-tuned for and with; it changes neither weights nor activations
}

// Activation names the function between the two linears of the feed-forward part, and in the masked-LM head.
type Activation string

const (
	GELU    Activation = "gelu"     // x·Φ(x), by erf
	GELUNew Activation = "gelu_new" // its tanh form
	ReLU    Activation = "relu"
	SiLU    Activation = "silu"
)

// ConfigFile is the name of a configuration in a checkpoint directory.
const ConfigFile = "config.json"

// defaultConfig is AlbertConfig() of transformers 4.57, the meaning of a key that a file leaves out.
// It is the shape of xxlarge; nothing but the reading of files may rely on it.
func defaultConfig() Config {
	return Config{
		Architecture: ForPreTraining,
		VocabSize:    30000, EmbeddingSize: 128, HiddenSize: 4096, NumHiddenLayers: 12, NumHiddenGroups: 1,
		InnerGroupNum: 1, NumAttentionHeads: 64, IntermediateSize: 16384, HiddenAct: GELUNew,
		MaxPositionEmbeddings: 512, TypeVocabSize: 2,
		ClassifierDropoutProb: 0.1, InitializerRange: 0.02, LayerNormEps: 1e-12,
		PadTokenID: 0, BOSTokenID: 2, EOSTokenID: 3,
	}
}

// field is a key of config.json and where its value lives.
type field struct {
	key   string
	value any // a pointer into a Config
}

// fields lists the keys that are read and written, in the order of writing.
func (c *Config) fields() []field {
	return []field{
		{"vocab_size", &c.VocabSize},
		{"embedding_size", &c.EmbeddingSize},
		{"hidden_size", &c.HiddenSize},
		{"num_hidden_layers", &c.NumHiddenLayers},
		{"num_hidden_groups", &c.NumHiddenGroups},
		{"inner_group_num", &c.InnerGroupNum},
		{"num_attention_heads", &c.NumAttentionHeads},
		{"intermediate_size", &c.IntermediateSize},
		{"hidden_act", &c.HiddenAct},
		{"max_position_embeddings", &c.MaxPositionEmbeddings},
		{"type_vocab_size", &c.TypeVocabSize},
		{"hidden_dropout_prob", &c.HiddenDropoutProb},
		{"attention_probs_dropout_prob", &c.AttentionProbsDropoutProb},
		{"classifier_dropout_prob", &c.ClassifierDropoutProb},
		{"initializer_range", &c.InitializerRange},
		{"layer_norm_eps", &c.LayerNormEps},
		{"pad_token_id", &c.PadTokenID},
		{"bos_token_id", &c.BOSTokenID},
		{"eos_token_id", &c.EOSTokenID},
	}
}

// onlyValue lists keys that would change the computation, with the one value that is supported.
var onlyValue = map[string]string{
	"model_type":                  `"albert"`,
	"position_embedding_type":     `"absolute"`,
	"tie_word_embeddings":         "true",
	"is_decoder":                  "false",
	"is_encoder_decoder":          "false",
	"add_cross_attention":         "false",
	"cross_attention_hidden_size": "null",
	"tie_encoder_decoder":         "false",
	"pruned_heads":                "{}",
	"quantization_config":         "null",
	"down_scale_factor":           "1",
	"net_structure_type":          "0",
	"gap_size":                    "0",
	"num_memory_blocks":           "0",
	"directionality":              `"bidi"`,
	"ln_type":                     `"postln"`,
	"pooler_type":                 `"first_token_transform"`,
}

// noEffect lists keys of transformers' and Google's files that change neither weights nor activations: how to train, how
// to run, how to generate text, the sizes of BERT's other poolers.
var noEffect = func() map[string]bool {
	keys := map[string]bool{}
	for _, key := range []string{
		"_attn_implementation", "_attn_implementation_autoset", "_name_or_path", "_num_labels", "auto_map", "bad_words_ids",
		"begin_suppress_tokens", "chunk_size_feed_forward", "custom_pipelines", "decoder_start_token_id", "diversity_penalty",
		"do_sample", "dtype", "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_ids",
		"exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id", "forced_eos_token_id",
		"gradient_checkpointing", "language", "layers_to_keep", "length_penalty", "max_length", "min_length",
		"no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "output_attentions",
		"output_hidden_states", "output_past", "output_scores", "pooler_fc_size", "pooler_num_attention_heads",
		"pooler_num_fc_layers", "pooler_size_per_head", "prefix", "remove_invalid_values", "repetition_penalty",
		"return_dict", "return_dict_in_generate", "sep_token_id", "suppress_tokens", "temperature",
		"tf_legacy_loss", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript",
		"transformers_version", "typical_p", "use_bfloat16", "use_cache",
	} {
		keys[key] = true
	}
	return keys
}()

// ParseConfig reads the text of a config.json. A key that is absent has the value that transformers gives it; one
// that is unknown, or asks for something that is not supported, is an error.
func ParseConfig(text []byte) (Config, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return Config{}, fmt.Errorf("not a JSON object: %w", err)
	}
	c := defaultConfig()
	known := map[string]any{}
	for _, f := range c.fields() {
		known[f.key] = f.value
	}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		value := raw[key]
		if target, ok := known[key]; ok {
			if err := json.Unmarshal(value, target); err != nil || string(value) == "null" {
				return Config{}, fmt.Errorf("%s is %s, want %s", key, value, kind(target))
			}
		} else if only, ok := onlyValue[key]; ok {
			if !sameJSON(value, only) {
				return Config{}, fmt.Errorf("%s is %s, only %s is supported", key, value, only)
			}
		} else if key == "architectures" {
			if err := c.parseArchitectures(value); err != nil {
				return Config{}, err
			}
		} else if key == "problem_type" {
			if err := json.Unmarshal(value, &c.ProblemType); err != nil {
				return Config{}, fmt.Errorf("problem_type is %s, want a string", value)
			}
		} else if key == taskSpecificParams {
			var err error
			if c.TaskParams, err = parseTaskParams(value); err != nil {
				return Config{}, err
			}
		} else if key == "id2label" || key == "label2id" || key == "num_labels" {
			continue // together, below
		} else if !noEffect[key] {
			return Config{}, fmt.Errorf("unknown key %s; remove it if it does not change the model", key)
		}
	}
	var err error
	if c.Labels, err = parseLabels(raw); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

func (c *Config) parseArchitectures(value []byte) error {
	var names []Architecture
	if err := json.Unmarshal(value, &names); err != nil {
		return fmt.Errorf("architectures is %s, want a list of names", value)
	}
	if len(names) > 0 {
		c.Architecture = names[0]
	}
	return nil
}

func kind(target any) string {
	switch target.(type) {
	case *int:
		return "a whole number"
	case *float64:
		return "a number"
	}
	return "a string"
}

func sameJSON(a []byte, b string) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, []byte(b)) == nil && x.String() == y.String()
}

// As returns the configuration of another architecture with the same encoder: labels, and what else a task is known by, stay
// behind.
func (c Config) As(a Architecture) Config {
	if c.Architecture != a {
		c.Architecture, c.Labels, c.ProblemType, c.TaskParams = a, Labels{}, "", TaskParams{}
	}
	return c
}

// ReadConfig reads the config.json of a checkpoint directory. Beside weights with the names of Google's code its "gelu" is
// the tanh form, as it is there.
func ReadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, ConfigFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("models: read %s: %w", ConfigFile, err)
	}
	c, err := ParseConfig(text)
	if err != nil && inHubCache(dir) {
		err = fmt.Errorf("%w (the file is of the hub's cache, which is not to be changed: copy the directory, and give the changed copy)", err)
	}
	if err != nil {
		return Config{}, fmt.Errorf("models: read %s: %w", path, err)
	}
	if c.HiddenAct == GELU {
		google, err := namedByGoogle(dir)
		if err != nil {
			return Config{}, err
		}
		if google {
			c.HiddenAct = GELUNew
		}
	}
	return c, nil
}

// MarshalJSON writes c as a config.json that transformers loads.
func (c Config) MarshalJSON() ([]byte, error) {
	object := map[string]any{
		"architectures": []Architecture{c.Architecture},
		"model_type":    "albert",
		"torch_dtype":   "float32",
	}
	for _, f := range c.fields() {
		object[f.key] = f.value
	}
	if c.Labels != (Labels{}) || c.Architecture.HasLabels() {
		c.Labels.add(object)
	}
	if c.ProblemType != "" {
		object["problem_type"] = c.ProblemType
	}
	if c.TaskParams != (TaskParams{}) {
		object[taskSpecificParams] = map[string]TaskParams{taskParamsKey: c.TaskParams}
	}
	return json.MarshalIndent(object, "", "  ")
}

// Validate reports the first value of c that no ALBERT can have.
func (c Config) Validate() error {
	const largest = 1 << 24 // of any one size: keeps the products below within 64 bits
	for _, f := range c.fields() {
		switch v := f.value.(type) {
		case *int:
			token := f.key == "pad_token_id" || f.key == "bos_token_id" || f.key == "eos_token_id"
			if least := 1; token {
				if *v < 0 || *v >= c.VocabSize {
					return fmt.Errorf("%s is %d, outside the vocabulary of %d", f.key, *v, c.VocabSize)
				}
			} else if *v < least || *v > largest {
				return fmt.Errorf("%s is %d, want %d to %d", f.key, *v, least, largest)
			}
		}
	}
	if c.HiddenSize%c.NumAttentionHeads != 0 {
		return fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d", c.HiddenSize, c.NumAttentionHeads)
	}
	if c.NumHiddenGroups > c.NumHiddenLayers {
		return fmt.Errorf("num_hidden_groups %d is more than num_hidden_layers %d, so that some would never be used",
			c.NumHiddenGroups, c.NumHiddenLayers)
	}
	for _, p := range []field{
		{"hidden_dropout_prob", c.HiddenDropoutProb},
		{"attention_probs_dropout_prob", c.AttentionProbsDropoutProb},
		{"classifier_dropout_prob", c.ClassifierDropoutProb},
	} {
		if v := p.value.(float64); !(v >= 0 && v < 1) {
			return fmt.Errorf("%s is %v, want a probability below 1", p.key, v)
		}
	}
	if !(c.InitializerRange > 0) || !(c.LayerNormEps > 0) {
		return fmt.Errorf("initializer_range is %v and layer_norm_eps is %v, want both above 0",
			c.InitializerRange, c.LayerNormEps)
	}
	if !slices.Contains([]Activation{GELU, GELUNew, ReLU, SiLU}, c.HiddenAct) {
		return fmt.Errorf("hidden_act is %q, want %s, %s, %s or %s", c.HiddenAct, GELU, GELUNew, ReLU, SiLU)
	}
	if !slices.Contains(Architectures(), c.Architecture) {
		return fmt.Errorf("architecture is %q, want one of %v", c.Architecture, Architectures())
	}
	if !slices.Contains([]ProblemType{"", SingleLabel, MultiLabel, Regression}, c.ProblemType) {
		return fmt.Errorf("problem_type is %q, want %s, %s or %s", c.ProblemType, SingleLabel, MultiLabel, Regression)
	}
	if c.Architecture == ForQuestionAnswering && c.Labels.Len() != 2 {
		return fmt.Errorf("there are %d labels (id2label), an %s has 2, the start and the end", c.Labels.Len(), c.Architecture)
	}
	return nil
}

// HeadSize returns D = H/A, the width of one attention head.
func (c Config) HeadSize() int { return c.HiddenSize / c.NumAttentionHeads }

// LayerGroup returns the group whose weights depth i of the encoder uses: ⌊i·G/L⌋, in whole numbers.
// Google's and transformers' code compute it in floating point and are off by one for a few unusual (L, G).
func (c Config) LayerGroup(i int) int { return i * c.NumHiddenGroups / c.NumHiddenLayers }
