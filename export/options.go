package export

import (
	"fmt"
	"io"
	"strconv"

	"goalbert/models"
	"goalbert/onnx"
)

// Options of an export. The zero value is good.
type Options struct {
	Version          string // of the program, for the file's producer
	VocabularySHA256 string // of the tokenizer's file, for the metadata; empty is none
}

// opset is the version of the standard operators: the one that most engines and providers have kernels for.
const opset = 18

// Keys of the file's metadata.
const (
	ArchitectureKey     = "architecture"
	MaxLengthKey        = "max_length"
	VocabularySHA256Key = "vocabulary_sha256"
)

// Model returns w as an ONNX model. The same weights and options give the same bytes.
func Model(w *models.Weights, o Options) (*onnx.ModelProto, error) {
	g := &graph{Builder: onnx.NewBuilder("albert"), config: w.Config, table: w.Parameters, constants: map[string]string{}}
	for _, p := range w.Parameters.Order {
		g.Initializer(onnx.NewFloats(p.Name, p.Shape, w.Tensor(p)))
	}
	g.forward()
	m := g.Model(opset)
	m.ProducerName, m.ProducerVersion = "goalbert", o.Version
	m.MetadataProps = []*onnx.StringStringEntryProto{
		{Key: ArchitectureKey, Value: string(w.Config.Architecture)},
		{Key: MaxLengthKey, Value: strconv.Itoa(w.Config.MaxPositionEmbeddings)},
	}
	if o.VocabularySHA256 != "" {
		m.MetadataProps = append(m.MetadataProps,
			&onnx.StringStringEntryProto{Key: VocabularySHA256Key, Value: o.VocabularySHA256})
	}
	if err := onnx.Check(m); err != nil {
		return nil, fmt.Errorf("export: the graph is wrong, please report it: %w", err)
	}
	return m, nil
}

// Write writes w as the ONNX file at path, whole or not at all.
func Write(path string, w *models.Weights, o Options) error {
	m, err := Model(w, o)
	if err != nil {
		return err
	}
	return models.WriteFile(path, func(out io.Writer) error { return onnx.Write(out, m) })
}
