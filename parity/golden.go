package parity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"goalbert/models"
	"goalbert/runtime"
)

// GoldenFile is what transformers computes with a checkpoint, in its directory: the inputs of one batch, and outputs and
// intermediate values by the names that tools/golden/README.md lists.
const GoldenFile = "golden.safetensors"

// Golden is such a file as a [runtime.Session] that knows one batch.
type Golden struct {
	Batch   Batch
	outputs map[string]runtime.Tensor
	names   []string // in the order of the native model's
}

var _ runtime.Session = (*Golden)(nil)

// ReadGolden reads the golden file of a checkpoint of configuration c; nil if there is none.
func ReadGolden(dir string, c models.Config) (*Golden, error) {
	tensors, err := models.ReadSafetensors(filepath.Join(dir, GoldenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("parity: %w", err)
	}
	g := &Golden{Batch: Batch{Name: "golden file of transformers", Inputs: map[string]runtime.Tensor{}}, outputs: map[string]runtime.Tensor{}}
	for _, name := range c.Architecture.Inputs() {
		values, err := tensors[name].Int64s()
		if err != nil {
			return nil, fmt.Errorf("parity: %s: tensor %s: %w", filepath.Join(dir, GoldenFile), name, err)
		}
		shape := tensors[name].Shape
		g.Batch.Inputs[name] = runtime.NewTensor(values, shape...)
		if name == models.AttentionMask {
			g.Batch.mask, g.Batch.length = values, shape[len(shape)-1]
		}
	}
	for _, name := range slices.Concat(c.Architecture.Outputs(), []string{models.SentenceEmbedding}, c.Tensors()) {
		tensor, there := tensors[goldenName(c, name)]
		if !there {
			continue
		}
		values, err := tensor.Float32s()
		if err != nil {
			return nil, fmt.Errorf("parity: %s: tensor %s: %w", filepath.Join(dir, GoldenFile), name, err)
		}
		g.outputs[name] = runtime.NewTensor(values, tensor.Shape...)
		g.names = append(g.names, name)
	}
	if len(g.names) == 0 {
		return nil, fmt.Errorf("parity: %s has none of the outputs of an %s", filepath.Join(dir, GoldenFile), c.Architecture)
	}
	return g, nil
}

// goldenName is the name that golden files have for a tensor.
func goldenName(c models.Config, name string) string {
	switch name {
	case models.EmbeddingsOutput:
		return "embeddings"
	case models.EmbeddingsHidden:
		return "embedding_hidden_mapping_in"
	}
	var layer int
	if n, _ := fmt.Sscanf(name, "layers.%d.", &layer); n == 0 {
		return name
	}
	part := name[strings.LastIndex(name, ".")+1:]
	if part == models.LayerOutput {
		part = "full_layer_layer_norm"
	}
	return fmt.Sprintf("layers.%d.%d.%s", layer/c.InnerGroupNum, layer%c.InnerGroupNum, part)
}

// Only returns g with the outputs of that list alone.
func (g *Golden) Only(names []string) *Golden {
	there := *g
	there.names = nil
	for _, name := range g.names {
		if slices.Contains(names, name) {
			there.names = append(there.names, name)
		}
	}
	return &there
}

// Engine returns "transformers".
func (g *Golden) Engine() string { return AgainstTransformers }

// Inputs returns the names of the inputs.
func (g *Golden) Inputs() []string {
	return []string{models.InputIDs, models.AttentionMask, models.TokenTypeIDs}
}

// Outputs returns the names of what the file holds.
func (g *Golden) Outputs() []string { return g.names }

// Run returns what the file holds of its own batch.
func (g *Golden) Run(context.Context, map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	return g.outputs, nil
}

// Close does nothing.
func (g *Golden) Close() error { return nil }
