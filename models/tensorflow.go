package models

import (
	"path/filepath"
	"regexp"
	"strings"
)

// The names of the variables in the checkpoints of Google's code (modeling.py of google-research/albert), as far as they
// have the same meaning in transformers. A variable is named by its layer and what it is there: kernel (in, out), bias,
// gamma, beta. See load_tf_weights_in_albert of transformers for the same mapping.

// googleLayers are the layers outside the encoder's groups, by transformers' names.
var googleLayers = map[string]string{
	"bert/embeddings/LayerNorm":                "embeddings.LayerNorm",
	"bert/encoder/embedding_hidden_mapping_in": "encoder.embedding_hidden_mapping_in",
	"bert/pooler/dense":                        "pooler",
	"cls/predictions/transform/dense":          "predictions.dense",
	"cls/predictions/transform/LayerNorm":      "predictions.LayerNorm",
}

// googleInner are the layers inside "bert/encoder/transformer/group_G/inner_group_J/".
var googleInner = map[string]string{
	"attention_1/self/query":          "attention.query",
	"attention_1/self/key":            "attention.key",
	"attention_1/self/value":          "attention.value",
	"attention_1/output/dense":        "attention.dense",
	"LayerNorm":                       "attention.LayerNorm",
	"ffn_1/intermediate/dense":        "ffn",
	"ffn_1/intermediate/output/dense": "ffn_output",
	"LayerNorm_1":                     "full_layer_layer_norm",
}

// googleWhole are the variables that are no part of a layer. None is transposed.
var googleWhole = map[string]string{
	"bert/embeddings/word_embeddings":       "embeddings.word_embeddings.weight",
	"bert/embeddings/position_embeddings":   "embeddings.position_embeddings.weight",
	"bert/embeddings/token_type_embeddings": "embeddings.token_type_embeddings.weight",
	"cls/predictions/output_bias":           "predictions.bias",
	"cls/seq_relationship/output_weights":   "sop_classifier.classifier.weight",
	"cls/seq_relationship/output_bias":      "sop_classifier.classifier.bias",
	"output_weights":                        "classifier.weight", // of run_classifier.py
	"output_bias":                           "classifier.bias",
}

var (
	googleGroup     = regexp.MustCompile(`^bert/encoder/transformer/group_(\d+)/inner_group_(\d+)/(.+)$`)
	googleOptimizer = regexp.MustCompile(`(^|/)(adam_[mv]|lamb_[mv]|AdamWeightDecayOptimizer(_1)?|global_step)$`)
)

// namedByGoogle reports whether the weights of a directory, if it has any, have the names of Google's code.
func namedByGoogle(dir string) (bool, error) {
	if !exists(filepath.Join(dir, WeightsFile)) && !exists(filepath.Join(dir, IndexFile)) {
		return false, nil
	}
	tensors, _, files, err := openTensors(dir)
	if err != nil {
		return false, err
	}
	defer files.Close()
	for name := range tensors {
		if canonical(name).google {
			return true, nil
		}
	}
	return false, nil
}

// fromGoogle sets what the name of t means if it is one of Google's, and reports whether it is.
func fromGoogle(t *fileTensor) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(t.original, "module/"), ":0")
	if googleOptimizer.MatchString(name) {
		t.google, t.ignored = true, true
		return true
	}
	if whole, ok := googleWhole[name]; ok {
		t.google, t.name = true, whole
		return true
	}
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 {
		return false
	}
	layer, ok := googleLayers[name[:slash]]
	if group := googleGroup.FindStringSubmatch(name[:slash]); group != nil {
		layer, ok = googleInner[group[3]]
		layer = "encoder.albert_layer_groups." + group[1] + ".albert_layers." + group[2] + "." + layer
	}
	if !ok {
		return false
	}
	switch name[slash+1:] {
	case "kernel":
		t.name, t.transposed = layer+".weight", true
	case "gamma":
		t.name = layer + ".weight"
	case "bias", "beta":
		t.name = layer + ".bias"
	default:
		return false
	}
	t.google = true
	return true
}
