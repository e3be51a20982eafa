package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goalbert/corpus"
	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
	"goalbert/tokenizer"
)

// specimens are sentences of different lengths, from one word on.
var specimens = []string{
	"Yes.",
	"The weather changed overnight.",
	"She opened the window, looked at the harbour, and counted the boats that had come in.",
	"A function that returns an error should return a value as well, unless the error makes every value meaningless.",
	"Between the station and the old mill the road follows the river for about two miles; it is narrow there, often " +
		"wet, and after heavy rain the carts that carry flour to the market have to wait until the water has gone down.",
}

// sequenceCount is how many sentences of a text are compared.
const sequenceCount = 16

func newParity() *cobra.Command {
	c := &cobra.Command{
		Use:   "parity [CHECKPOINT [MODEL.onnx...]]...",
		Short: "The proof that exported files compute what the checkpoint does: exit code 1 on any mismatch",
		Long: "The proof that exported files compute what the checkpoint does: first every initializer of each file and its\n" +
			"graph, then the outputs of each engine against the native model, on attended positions: for sentences of\n" +
			"different lengths, alone and padded, and for what is rare and legal, as a single token, as many as the model has\n" +
			"positions, all hidden but one, holes, ids at both ends of the vocabulary, 33 sequences at once. Where a checkpoint\n" +
			"has a golden.safetensors, what transformers computes with it, that is compared too.\n\n" +
			"Without a file the checkpoint is exported for the comparison, in every form that albert export can write. An\n" +
			"engine that cannot run a form is left out for it, and the report says so; ONNX Runtime runs on CUDA as well where\n" +
			"its library can, unless --provider says otherwise.\n\n" +
			"Outputs of fp32 files may differ by 1e-4 + 1e-4 of the value, of fp16 files by 0.02 + 0.02 of it. Of int8 and int4\n" +
			"files the predictions must agree: --min-agreement is the share of arg maxes that must be native's, or the least\n" +
			"mean cosine where there is nothing to choose.\n\n" +
			"With --data what a fine-tuned checkpoint predicts of examples is compared too: each must be the same, but for ties,\n" +
			"whose outputs are equal within the tolerance.",
		Args: arguments(cobra.ArbitraryArgs),
	}
	asJSON := jsonFlag(c)
	p := &proof{command: c, engine: engineFlags(c, "engines to be compared with native: onnxruntime, onnx-go, or both", onnxRuntime, onnxGo)}
	c.Flags().StringVar(&p.text, "text", "", "file of sentences to compare with; a few of our own if empty")
	c.Flags().StringVar(&p.preset, "preset", "", "also compare a model of these shapes with random weights: "+strings.Join(models.PresetNames(), ", "))
	c.Flags().StringSliceVar(&p.tasks, "task", nil, "tasks to export each checkpoint for, as albert export has them, or all that its weights suffice for; otherwise its own")
	c.Flags().StringSliceVar(&p.precisions, "precision", nil, "of the forms that are exported for the comparison; otherwise all")
	c.Flags().BoolVar(&p.tensors, "tensors", false, "also compare intermediate values: embeddings, and of each layer query, key, value, context, feed-forward output and output")
	c.Flags().Float64Var(&p.least, "min-agreement", parity.LeastAgreement, "of int8 and int4 files with native, from 0 to 1")
	p.examples = bindExamples(c)
	file := c.Flags().String("report", "", "file that gets the report as JSON too")
	html := c.Flags().String("html", "", "file that gets the report as a page that needs nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		subjects, err := p.check(args)
		if err != nil {
			return err
		}
		if err := p.run(subjects); err != nil {
			return err
		}
		if *file != "" {
			err := models.WriteFile(*file, func(w io.Writer) error { return json.NewEncoder(w).Encode(p.report) })
			if err != nil {
				return err
			}
		}
		if *html != "" {
			if err := models.WriteFile(*html, p.report.WriteHTML); err != nil {
				return err
			}
		}
		if err := show(c, *asJSON, p.report, func(w io.Writer) { p.report.WriteText(w) }); err != nil {
			return err
		}
		if list := p.report.Unproven(); len(list) > 0 {
			return fmt.Errorf("parity: no engine that was asked for runs %s; ask for another with --engine", strings.Join(list, ", "))
		}
		if !p.report.OK() {
			return errors.New("parity: the files do not compute what the checkpoint does")
		}
		return nil
	}
	return c
}

// proof is a run of albert parity.
type proof struct {
	command    *cobra.Command
	engine     *engineOptions
	text       string
	preset     string
	tasks      []string
	precisions []string
	tensors    bool
	least      float64
	examples   *examplesProof

	report *parity.Report
	dir    string // for files that are exported for the comparison
}

// subject is a checkpoint and the files that are compared with it.
type subject struct {
	checkpoint string // empty is random weights of the preset
	files      []string
}

// check refuses bad usage, divides the arguments, files belonging to the checkpoint before them, and finds the checkpoints.
func (p *proof) check(args []string) ([]subject, error) {
	if err := p.engine.check(); err != nil {
		return nil, err
	}
	if slices.Contains(p.engine.engines, nativeEngine) {
		return nil, usagef("native is what the others are compared with; name onnxruntime, onnx-go, or both")
	}
	if !(p.least >= 0 && p.least <= 1) {
		return nil, usagef("min-agreement is %v, want a number from 0 to 1", p.least)
	}
	for _, name := range p.precisions {
		if _, err := export.ParsePrecision(name); err != nil {
			return nil, usagef("%v", err)
		}
	}
	for _, name := range p.tasks {
		if _, err := models.ParseTask(name); err != nil && name != allTasks {
			return nil, usagef("%v, or %s", err, allTasks)
		}
	}
	var subjects []subject
	for _, arg := range args {
		if filepath.Ext(arg) != ".onnx" {
			subjects = append(subjects, subject{checkpoint: arg})
			continue
		}
		if len(subjects) == 0 {
			return nil, usagef("%s has no checkpoint before it to be compared with", arg)
		}
		last := &subjects[len(subjects)-1]
		last.files = append(last.files, arg)
	}
	if p.preset != "" {
		if _, err := models.Preset(p.preset); err != nil {
			return nil, usagef("%v", err)
		}
		subjects = append(subjects, subject{})
	}
	if len(subjects) == 0 {
		return nil, usagef("give a checkpoint, or a preset for random weights")
	}
	for i, s := range subjects {
		if s.checkpoint != "" {
			var err error
			if subjects[i].checkpoint, err = findDirectory(p.command, s.checkpoint); err != nil {
				return nil, err
			}
		}
	}
	return subjects, nil
}

// allTasks is every task that a checkpoint has weights for.
const allTasks = "all"

// run fills the report.
func (p *proof) run(subjects []subject) error {
	dir, err := os.MkdirTemp("", "albert-")
	if err != nil {
		return fmt.Errorf("parity: %w", err)
	}
	defer os.RemoveAll(dir)
	p.dir = dir
	p.report = &parity.Report{
		Program: "albert " + version, Time: time.Now().UTC().Format("2006-01-02 15:04 MST"), Machine: thisMachine(p.engine),
		Reference: nativeEngine, Batches: []string{}, Findings: []parity.Finding{}, NotRun: []parity.NotRun{},
	}
	for _, s := range subjects {
		if err := p.compareSubject(s); err != nil {
			return err
		}
	}
	return nil
}

// compareSubject compares one checkpoint, or a preset's random weights, as a model of each task that was asked for.
func (p *proof) compareSubject(s subject) error {
	if s.checkpoint == "" {
		architectures, err := p.architectures()
		if err != nil {
			return err
		}
		for _, a := range architectures {
			config, err := models.Preset(p.preset)
			if err != nil {
				return err
			}
			config.Architecture = a
			if a.HasLabels() {
				config.Labels = models.NewLabels("a", "b", "c")
			}
			w := parity.RandomWeights(config, 1)
			if err := p.compareModel("random "+p.preset, w, s, randomSequences(config)); err != nil {
				return err
			}
		}
		return nil
	}
	w, err := readModel(p.command, s.checkpoint, "")
	if err != nil {
		return err
	}
	sequences, err := specimenSequences(s.checkpoint, w.Config, p.text)
	if err != nil {
		return err
	}
	if len(p.tasks) == 0 {
		return p.compareModel(s.checkpoint, w, s, sequences)
	}
	architectures, err := p.architectures()
	if err != nil {
		return err
	}
	for _, a := range architectures {
		as, _, err := models.ReadModel(s.checkpoint, a)
		if err != nil && slices.Contains(p.tasks, allTasks) {
			continue
		}
		if err != nil {
			return err
		}
		if err := p.compareModel(s.checkpoint, as, s, sequences); err != nil {
			return err
		}
	}
	return nil
}

// architectures are those of the tasks; all that there are for all tasks, and the first for none.
func (p *proof) architectures() ([]models.Architecture, error) {
	if len(p.tasks) == 0 {
		return []models.Architecture{models.ForPreTraining}, nil
	}
	var list []models.Architecture
	for _, name := range p.tasks {
		if name == allTasks {
			return models.Architectures(), nil
		}
		a, err := models.ParseTask(name)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// compareModel compares the files of a checkpoint with it, or, where none were given, files of every form.
func (p *proof) compareModel(name string, w *models.Weights, s subject, sequences []parity.Sequence) error {
	batches := slices.Concat(parity.Batches(sequences, w.Config.PadTokenID), parity.Adversarial(w.Config))
	for i, b := range batches {
		batches[i] = b.ForArchitecture(w.Config.Architecture)
	}
	m := &parity.Model{Checkpoint: name, Task: string(w.Config.Architecture.Task())}
	if len(p.tasks) > 0 {
		m.Checkpoint += ", " + m.Task
	}
	var golden *parity.Golden
	if s.checkpoint != "" {
		sum, err := fileSum(filepath.Join(s.checkpoint, models.WeightsFile))
		if err != nil {
			return err
		}
		m.SHA256 = sum
		if golden, err = parity.ReadGolden(s.checkpoint, w.Config); err != nil {
			return err
		}
	}
	p.report.AddModel(m, batches)
	c := &modelProof{proof: p, checkpoint: s.checkpoint, weights: w, batches: batches, golden: golden}
	var err error
	if c.predictions, err = c.predict(s.checkpoint); err != nil {
		return err
	}
	if err := c.compareNative(); err != nil {
		return err
	}
	if len(s.files) == 0 {
		return c.compareForms()
	}
	for _, path := range s.files {
		if err := c.compareGiven(path); err != nil {
			return err
		}
	}
	return nil
}

// modelProof is the part of a run that is about one model.
type modelProof struct {
	*proof
	checkpoint string // empty is random weights
	weights    *models.Weights
	batches    []parity.Batch
	golden     *parity.Golden // nil where there is none

	predictions *predictions // nil without examples
}

// compareNative compares the native model with the golden file.
func (p *modelProof) compareNative() error {
	if p.golden == nil {
		return nil
	}
	reference := p.reference(p.weights, p.tensors)
	return p.compareGolden(reference, func(golden *parity.Golden) ([]parity.Finding, error) {
		return parity.Outputs(p.command.Context(), golden, reference, []parity.Batch{golden.Batch}, numeric.GoldenFloat32)
	})
}

// compareGolden adds how a session compares with what the golden file has of its outputs.
func (p *modelProof) compareGolden(session runtime.Session, compare func(*parity.Golden) ([]parity.Finding, error)) error {
	if p.golden == nil {
		return nil
	}
	findings, err := compare(p.golden.Only(session.Outputs()))
	if err != nil {
		return err
	}
	p.report.Add(findings...)
	return nil
}

func (p *proof) reference(w *models.Weights, tensors bool) runtime.Session {
	if tensors {
		return native.NewWithTensors(w, threadCount(p.engine.threads))
	}
	return native.New(w, threadCount(p.engine.threads))
}

// compareForms exports the model in every form, and compares each file.
func (p *modelProof) compareForms() error {
	for _, o := range export.Cells() {
		if len(p.precisions) > 0 && !slices.Contains(p.precisions, string(o.Precision)) {
			continue
		}
		o.Version, o.Embedding = version, p.weights.Config.Architecture == models.BaseModel
		if err := p.compareExport(o.Form(), o); err != nil {
			return err
		}
		if o.Tensors = true; p.tensors {
			if err := p.compareExport(o.Form()+" + values", o); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareExport writes a file for the comparison, and removes it after that.
func (p *modelProof) compareExport(name string, o export.Options) error {
	path := filepath.Join(p.dir, "model.onnx")
	if err := export.Write(path, p.weights, o); err != nil {
		return err
	}
	defer os.Remove(path)
	m, err := onnx.ReadFile(path)
	if err != nil {
		return err
	}
	return p.compareFile(name, path, m, false)
}

// compareGiven compares a file with the checkpoint, as what the file says that it is.
func (p *modelProof) compareGiven(path string) error {
	m, err := onnx.ReadFile(path)
	if err != nil {
		return err
	}
	as := *p
	if a := models.Architecture(m.Metadata(export.ArchitectureKey)); a != "" && a != p.weights.Config.Architecture {
		if as.weights, _, err = models.ReadModel(p.checkpoint, a); err != nil {
			return fmt.Errorf("parity: %s: %w", path, err)
		}
		as.golden, as.predictions = nil, nil // which are another model's
		as.batches = nil
		for _, b := range p.batches {
			as.batches = append(as.batches, b.ForArchitecture(a))
		}
	}
	if err := as.compareFile(path, path, m, true); err != nil {
		return err
	}
	o := export.OptionsOf(m)
	if !p.tensors || o.Tensors {
		return nil
	}
	note(p.command, "%s has no intermediate values among its outputs: a copy that has is exported and compared as well", path)
	o.Tensors = true
	return as.compareExport(path+" + values", o)
}

// compareFile adds the findings of one file to the report. One that differs is not run: it would only differ again.
func (p *modelProof) compareFile(name, path string, m *onnx.ModelProto, given bool) error {
	e, err := parity.NewExport(name, path, m, p.least)
	if err != nil {
		return err
	}
	p.report.AddExport(e)
	findings, err := parity.File(name, m, p.weights)
	if err != nil {
		return err
	}
	p.report.Add(findings...)
	if slices.ContainsFunc(findings, func(f parity.Finding) bool { return !f.OK }) {
		return nil
	}
	o := export.OptionsOf(m)
	for _, v := range p.variants() {
		asked := given && p.command.Flags().Changed("engine")
		if why := v.cannotRun(o); why != "" && !asked {
			p.report.Skip(v.name(), why)
			continue
		}
		if err := p.compareEngine(v, path, e, m); err != nil {
			return err
		}
	}
	return nil
}

// compareEngine adds how an engine computes a file.
func (p *modelProof) compareEngine(v variant, path string, e parity.Export, m *onnx.ModelProto) error {
	session, err := v.options.open(v.engine, path)
	if err != nil {
		return err
	}
	defer session.Close()
	tensors := export.OptionsOf(m).Tensors
	findings, err := e.CompareOutputs(p.command.Context(), p.reference(p.weights, tensors), session, p.batches, p.weights.Config)
	if err != nil {
		return err
	}
	p.report.Add(findings...)
	if err := p.comparePredictions(session, e); err != nil {
		return err
	}
	if e.Tolerance == nil { // a golden file has too few predictions to count
		return p.compareHeld(session, m)
	}
	return p.compareGolden(session, func(golden *parity.Golden) ([]parity.Finding, error) {
		return e.CompareOutputs(p.command.Context(), golden, session, []parity.Batch{golden.Batch}, p.weights.Config)
	})
}

// compareHeld adds how an engine computes with the weights that an int4 file holds, within the tolerance of float32: nothing else
// is rounded. In int8 activations are, by as much as their outliers make of it.
func (p *modelProof) compareHeld(session runtime.Session, m *onnx.ModelProto) error {
	o := export.OptionsOf(m)
	if o.Precision != export.INT4 {
		return nil
	}
	held, err := parity.Dequantized(m, p.weights.Config)
	if err != nil {
		return err
	}
	findings, err := parity.Outputs(p.command.Context(), p.reference(held, o.Tensors), session, p.batches, parity.ToleranceOf(m))
	for i := range findings {
		findings[i].Against = parity.AgainstHeld
	}
	p.report.Add(findings...)
	return err
}

// variant is an engine with a provider.
type variant struct {
	engine  string
	options *engineOptions
}

// nvidiaDriver is there where NVIDIA's driver is loaded.
const nvidiaDriver = "/proc/driver/nvidia/version"

// variants are the engines that were asked for, ONNX Runtime on CUDA too where its library can and no provider was named.
func (p *proof) variants() []variant {
	var list []variant
	for _, engine := range p.engine.engines {
		list = append(list, variant{engine, p.engine})
		if engine != onnxRuntime || p.command.Flags().Changed("provider") {
			continue
		}
		if library, err := ort.Find(*p.engine.library); err == nil && slices.Contains(library.Providers, "CUDAExecutionProvider") && stat(nvidiaDriver) != nil {
			cuda := *p.engine
			cuda.provider = string(ort.CUDA)
			list = append(list, variant{engine, &cuda})
		}
	}
	return list
}

func (v variant) name() string {
	if v.engine == onnxRuntime {
		return fmt.Sprintf("%s (%s)", v.engine, v.options.provider)
	}
	return v.engine
}

// cannotRun says why the engine cannot run files of that form; empty where it can.
func (v variant) cannotRun(o export.Options) string {
	switch {
	case v.engine == onnxGo && (o.Precision != export.FP32 || o.Layers != export.Unrolled || o.Fuse != ""):
		return "it reads fp32 with the layers unrolled, in standard operators"
	case v.engine == onnxRuntime && v.options.provider == string(ort.CUDA) && o.Precision == export.INT8:
		return "it has no int8 products on CUDA"
	}
	return ""
}

// fileSum returns the SHA-256 of a file; empty where there is none, as of a checkpoint in parts.
func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// specimenSequences returns sentences as the model's inputs, cut to what it takes. Without a vocabulary in the
// checkpoint they are random ids of many lengths.
func specimenSequences(checkpoint string, config models.Config, text string) ([]parity.Sequence, error) {
	if _, err := os.Stat(filepath.Join(checkpoint, tokenizer.ModelFile)); errors.Is(err, os.ErrNotExist) && text == "" {
		return randomSequences(config), nil
	}
	t, err := openTokenizer(checkpoint)
	if err != nil {
		return nil, err
	}
	chosen := specimens
	if text != "" {
		if chosen, err = spread(text); err != nil {
			return nil, err
		}
	}
	var sequences []parity.Sequence
	for i, sentence := range chosen {
		ids := t.Encode(sentence)
		ids = ids[:min(len(ids), config.MaxPositionEmbeddings-2)]
		var second []int32
		if half := len(ids) / 2; i%2 == 1 && half > 0 && len(ids)+3 <= config.MaxPositionEmbeddings && config.TypeVocabSize > 1 {
			ids, second = ids[:half], ids[half:] // every other one as a pair, with both token types
		}
		input, types := tokenizer.BuildInputs(t.Special(), ids, second)
		sequences = append(sequences, parity.Sequence{InputIDs: input, TokenTypeIDs: types})
	}
	return sequences, nil
}

// spread returns sentences of a text, evenly spread over it.
func spread(path string) ([]string, error) {
	var all []string
	for s, err := range sentences(corpus.Read(path)) {
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("parity: %s holds no sentences; give one with a sentence a line", path)
	}
	n := min(len(all), sequenceCount)
	chosen := make([]string, n)
	for i := range chosen {
		chosen[i] = strings.TrimSpace(all[i*len(all)/n])
	}
	return chosen, nil
}

// randomSequences are random ids of several lengths.
func randomSequences(config models.Config) []parity.Sequence {
	random := rand.New(rand.NewPCG(1, 2))
	var sequences []parity.Sequence
	for n := 1; n <= min(31, config.MaxPositionEmbeddings); n = n*2 + 1 {
		var s parity.Sequence
		for range n {
			s.InputIDs = append(s.InputIDs, random.Int32N(int32(config.VocabSize)))
			s.TokenTypeIDs = append(s.TokenTypeIDs, random.Int32N(int32(config.TypeVocabSize)))
		}
		sequences = append(sequences, s)
	}
	return sequences
}
