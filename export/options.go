package export

import (
	"encoding/json"
	"fmt"
	"strconv"

	"goalbert/models"
	"goalbert/onnx"
)

// Options of an export. The zero value is good.
type Options struct {
	Version          string // of the program, for the file's producer
	VocabularySHA256 string // of the tokenizer's file, for the metadata; empty is none

	Layers    Layers    // empty is Unrolled
	Precision Precision // empty is FP32
	Fuse      Fuse      // empty is standard operators

	// Embedding adds the output sentence_embedding to an AlbertModel's.
	Embedding bool

	// Tensors adds the intermediate values that models.Config.Tensors lists to the outputs.
	Tensors bool

	Target    Target   // of INT8; empty is every processor
	Keep      []string // of INT8 and INT4: matrices that stay float32, by their names in the checkpoint
	PerTensor bool     // of INT8: one scale for a whole matrix, as others quantize, by which accuracy is lost

	Certification string // for the metadata: whether what Keep was chosen for is certified; empty where nobody asked
	Calibration   string // and how it was chosen, JSON

	// External is when the weights lie in a second file.
	External External
}

// opset is the version of the standard operators: the one that most engines and providers have kernels for.
const opset = 18

// Keys of the file's metadata.
const (
	ArchitectureKey     = "architecture"
	TaskKey             = "task"
	LabelsKey           = "labels"       // a JSON list of names, in the order of the logits
	ProblemTypeKey      = "problem_type" // of a sequence classification: how the labels exclude each other
	EmbeddingKey        = "embedding"    // how sentence_embedding is made
	LayersKey           = "layers"       // the form of the layers
	PrecisionKey        = "precision"
	FuseKey             = "fused_for"
	TensorsKey          = "tensors" // whether intermediate values are outputs
	TargetKey           = "target"
	KeepKey             = "kept_in_fp32" // a JSON list of names
	ScalesKey           = "scales"       // how many there are, where not one a column
	CertificationKey    = "certification"
	CalibrationKey      = "calibration" // a JSON object
	MaxLengthKey        = "max_length"
	TaskParamsKey       = "task_params" // a JSON object: what the model was fine-tuned for and with (models.TaskParams)
	VocabularySHA256Key = "vocabulary_sha256"
)

// Model returns w as an ONNX model. The same weights and options give the same bytes. Its tensors may share the memory of
// the weights: neither is changed while the other is in use.
func Model(w *models.Weights, o Options) (*onnx.ModelProto, error) {
	m, payloads, err := build(w, o)
	if err != nil {
		return nil, err
	}
	return m, payloads.Fill(m)
}

// build returns w as a model whose float16 and whole numbers are made when they are written.
func build(w *models.Weights, o Options) (*onnx.ModelProto, onnx.Payloads, error) {
	if err := o.check(w.Config); err != nil {
		return nil, nil, err
	}
	o = o.withDefaults()
	whole := onnx.NewBuilder("albert")
	g := &graph{
		Builder: whole, whole: whole, config: w.Config, table: w.Parameters, constants: map[string]string{},
		layers: o.Layers, precision: o.Precision, fuse: o.Fuse, embeddingOutput: o.Embedding, tensors: o.Tensors,
		rounded: map[string]rounded{},
	}
	if err := g.addWeights(w, o); err != nil {
		return nil, nil, err
	}
	g.forward()
	m := g.Model(opset)
	m.ProducerName, m.ProducerVersion = "goalbert", o.Version
	if err := o.addMetadata(m, w.Config); err != nil {
		return nil, nil, err
	}
	if err := onnx.Check(m); err != nil {
		return nil, nil, fmt.Errorf("export: the graph is wrong, please report it: %w", err)
	}
	return m, whole.Payloads(), nil
}

// Values of CertificationKey.
const (
	Certified     = "certified"
	NotCertified  = "not certified"
	NotCalibrated = "not calibrated"
)

// Values of EmbeddingKey and of ScalesKey.
const (
	meanPooling = "mean, normalized"
	perTensor   = "per tensor"
)

// OptionsOf returns the options that m was exported with, by its metadata.
func OptionsOf(m *onnx.ModelProto) Options {
	var keep []string
	if json.Unmarshal([]byte(m.Metadata(KeepKey)), &keep) != nil {
		keep = nil // there is no such key; a file that is not ours has no export to be compared with
	}
	return Options{
		Version:          m.ProducerVersion,
		VocabularySHA256: m.Metadata(VocabularySHA256Key),
		Layers:           Layers(m.Metadata(LayersKey)),
		Precision:        Precision(m.Metadata(PrecisionKey)),
		Fuse:             Fuse(m.Metadata(FuseKey)),
		Embedding:        m.Metadata(EmbeddingKey) != "",
		Target:           Target(m.Metadata(TargetKey)),
		Keep:             keep,
		PerTensor:        m.Metadata(ScalesKey) == perTensor,
		Certification:    m.Metadata(CertificationKey),
		Calibration:      m.Metadata(CalibrationKey),
		Tensors:          m.Metadata(TensorsKey) != "",
	}
}

// Check refuses options that do not go together, whatever the model: what is not one of [Cells].
func (o Options) Check() error {
	o = o.withDefaults()
	if _, err := ParseLayers(string(o.Layers)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if _, err := ParsePrecision(string(o.Precision)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := o.checkFuse(); err != nil {
		return err
	}
	return o.checkQuantized()
}

// check refuses what no export of a model of configuration c can be.
func (o Options) check(c models.Config) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Embedding && c.Architecture != models.BaseModel {
		return fmt.Errorf("export: a sentence embedding is an output of task %s, the task is %s",
			models.BaseModel.Task(), c.Architecture.Task())
	}
	return o.checkMatrices(c)
}

// withDefaults has a name where o has none.
func (o Options) withDefaults() Options {
	if o.Layers == "" {
		o.Layers = Unrolled
	}
	if o.Precision == "" {
		o.Precision = FP32
	}
	return o
}

func (o Options) addMetadata(m *onnx.ModelProto, c models.Config) error {
	add := func(key, value string) {
		if value != "" {
			m.MetadataProps = append(m.MetadataProps, &onnx.StringStringEntryProto{Key: key, Value: value})
		}
	}
	add(ArchitectureKey, string(c.Architecture))
	add(TaskKey, string(c.Architecture.Task()))
	add(LayersKey, string(o.Layers))
	add(PrecisionKey, string(o.Precision))
	add(FuseKey, string(o.Fuse))
	add(TargetKey, string(o.Target))
	if len(o.Keep) > 0 {
		keep, err := json.Marshal(o.Keep)
		if err != nil {
			return fmt.Errorf("export: kept matrices: %w", err)
		}
		add(KeepKey, string(keep))
	}
	if o.PerTensor {
		add(ScalesKey, perTensor)
	}
	add(CertificationKey, o.Certification)
	add(CalibrationKey, o.Calibration)
	add(MaxLengthKey, strconv.Itoa(c.MaxPositionEmbeddings))
	if c.Architecture.HasLabels() {
		labels, err := json.Marshal(c.Labels.Names())
		if err != nil {
			return fmt.Errorf("export: labels: %w", err)
		}
		add(LabelsKey, string(labels))
	}
	if c.Architecture == models.ForSequenceClassification {
		add(ProblemTypeKey, string(c.Problem()))
	}
	if c.TaskParams != (models.TaskParams{}) {
		params, err := json.Marshal(c.TaskParams)
		if err != nil {
			return fmt.Errorf("export: what the model was fine-tuned with: %w", err)
		}
		add(TaskParamsKey, string(params))
	}
	if o.Embedding {
		add(EmbeddingKey, meanPooling)
	}
	if o.Tensors {
		add(TensorsKey, "offered")
	}
	add(VocabularySHA256Key, o.VocabularySHA256)
	return nil
}
