package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goalbert/export"
	"goalbert/models"
	"goalbert/parity"
)

func newParity() *cobra.Command {
	c := &cobra.Command{
		Use:   "parity [CHECKPOINT [MODEL.onnx...]]...",
		Short: "The proof that exported files compute what the checkpoint does: exit code 1 on any mismatch",
		Long: "The proof that exported files compute what the checkpoint does: first every initializer of each file, its graph\n" +
			"and what it says of itself, then the outputs of each engine against the native model, on attended positions: for sentences of\n" +
			"different lengths, alone and padded, and for what is rare and legal, as a single token, as many as the model has\n" +
			"positions, all hidden but one, holes, ids at both ends of the vocabulary, 33 sequences at once. Where a checkpoint\n" +
			"has a golden.safetensors, what transformers computes with it, that is compared too.\n\n" +
			"Without a file the checkpoint is exported for the comparison, in every form that albert export can write. An\n" +
			"engine that cannot run a form is left out for it, and the report says so; ONNX Runtime runs on CUDA as well where\n" +
			"its library can, unless --provider says otherwise.\n\n" +
			"Outputs of fp32 files may differ by 1e-4 + 1e-4 of the value, of fp16 files by 0.02 + 0.02 of it. Of int8 and int4\n" +
			"files the predictions must agree by --min-agreement, which is Cohen's kappa, so that what is right by chance does not\n" +
			"count, or, where there is nothing to choose, the concordance of the numbers. Where the checkpoint itself always\n" +
			"predicts the same, that is said not to be proven, with exit code 1 unless another output is: give examples. Int4\n" +
			"files are compared with the weights that they hold as well, within the tolerance of fp32.\n\n" +
			"With --data what a fine-tuned checkpoint predicts of examples is compared too: each must be the same, but for ties,\n" +
			"whose outputs are equal within the tolerance. Of int8 and int4 files they must agree, and where the examples are\n" +
			"labelled the score may be --max-drop points below native's.\n\n" +
			"A file that cannot be read, or an engine that gives an error, is a finding: what else there is is compared.",
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
		return p.verdict()
	}
	return c
}

// verdict is nil where the report is good, or says what to do.
func (p *proof) verdict() error {
	r := p.report
	failures, unproven, undecided := r.Failures(), r.Unproven(), r.Undecided()
	switch {
	case len(r.Mismatches()) > 0:
		return errors.New("parity: the files do not compute what the checkpoint does")
	case len(failures) > 0:
		return fmt.Errorf("parity: %s", failures[0].Worst)
	case len(unproven) > 0:
		return fmt.Errorf("parity: no engine that was asked for runs %s; ask for another with --engine", strings.Join(unproven, ", "))
	case len(undecided) > 0:
		return fmt.Errorf("parity: of %s nothing is proven: %s; give examples of every label with --data, or demand nothing with --min-agreement 0",
			undecided[0].Tensor, undecided[0].Worst)
	case !r.OK():
		return errors.New("parity: nothing was compared")
	}
	return nil
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
	if !(p.examples.maxDrop >= 0 && p.examples.maxDrop < 100) {
		return nil, usagef("max-drop is %v, want 0 or more and less than 100 points", p.examples.maxDrop)
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
	if len(p.examples.data) > 0 && p.preset != "" {
		return nil, usagef("--data is for checkpoints with a vocabulary, and --preset has none; leave one of them out")
	}
	for _, s := range subjects {
		for _, name := range []string{"task", "precision"} {
			if p.command.Flags().Changed(name) && len(s.files) > 0 {
				return nil, usagef("--%s is of the forms that are exported for the comparison, and %s is given: a file says itself what it is; leave one of them out",
					name, s.files[0])
			}
		}
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
		err := p.compareSubject(s)
		if err := p.command.Context().Err(); err != nil {
			return err
		}
		if err != nil {
			p.report.AddModel(&parity.Model{Checkpoint: s.checkpoint}, nil)
			p.report.Add(parity.Failure(nativeEngine, parity.AgainstCheckpoint, "checkpoint", err))
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
	batches := slices.Concat(parity.Batches(sequences, w.Config.PadTokenID), parity.Adversarial(w.Config), []parity.Batch{parity.Saturating(w)})
	for i, b := range batches {
		batches[i] = b.ForArchitecture(w.Config.Architecture)
	}
	m := &parity.Model{Checkpoint: name, Task: string(w.Config.Architecture.Task())}
	if len(p.tasks) > 0 {
		m.Checkpoint += ", " + m.Task
	}
	var golden *parity.Golden
	if s.checkpoint != "" {
		weights, err := models.WeightFiles(s.checkpoint)
		if err != nil {
			return err
		}
		if m.Files, err = sumsOf(weights...); err != nil {
			return err
		}
		if golden, err = parity.ReadGolden(s.checkpoint, w.Config); err != nil {
			return err
		}
	}
	p.report.AddModel(m, batches)
	c := &modelProof{proof: p, checkpoint: s.checkpoint, weights: w, batches: batches, golden: golden}
	var err error
	if s.checkpoint != "" {
		if c.vocabulary, err = vocabularySum(s.checkpoint); err != nil {
			return err
		}
	}
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
