package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/tasks"
)

// examplesProof is the flags of albert parity that compare predictions on examples.
type examplesProof struct {
	*taskFlags
	data []string
}

func bindExamples(c *cobra.Command) *examplesProof {
	e := &examplesProof{taskFlags: bindTask(c.Flags(), "data-task", "what the examples of --data are of; otherwise what the checkpoint was fine-tuned for")}
	c.Flags().StringSliceVar(&e.data, "data", nil, "examples, which need no labels: what a fine-tuned checkpoint predicts of them must be the same but for ties within the tolerance")
	return e
}

// predictions is what the checkpoint predicts, natively.
type predictions struct {
	task tasks.Task
	set  *tasks.Set
	want *evaluate.TaskResult
	name string // in the report
}

// predict reads the examples for a checkpoint and predicts them natively; nil without examples.
func (p *modelProof) predict(checkpoint string) (*predictions, error) {
	if len(p.examples.data) == 0 {
		return nil, nil
	}
	if checkpoint == "" {
		return nil, usagef("--data is for checkpoints with a vocabulary, and --preset has none; leave one of them out")
	}
	flags, c := *p.examples.taskFlags, p.weights.Config
	t, err := openTokenizer(checkpoint)
	if err != nil {
		return nil, err
	}
	r := &predictions{name: "predictions of " + filepath.Base(strings.Join(p.examples.data, ", "))}
	if r.task, err = flags.of(c, p.examples.data...); err != nil {
		return nil, err
	}
	files := p.examples.data
	if len(files) == 1 && isDirectory(files[0]) {
		if files, err = flags.files(nil, files[0], tasks.Dev); err != nil {
			return nil, err
		}
	}
	if r.set, err = flags.load(p.command, r.task, t, false, files...); err != nil {
		return nil, err
	}
	r.want, err = evaluate.Predict(p.command.Context(), p.reference(p.weights, false), c, r.task, r.set)
	return r, err
}

// comparePredictions adds how far an engine predicts what the checkpoint does.
func (p *modelProof) comparePredictions(session runtime.Session, e parity.Export) error {
	if p.predictions == nil {
		return nil
	}
	r := p.predictions
	got, err := evaluate.Predict(p.command.Context(), session, p.weights.Config, r.task, r.set)
	if err != nil {
		return err
	}
	tolerance := noTolerance
	if e.Tolerance != nil {
		tolerance = *e.Tolerance
	}
	a, err := evaluate.Agree(r.set, got, r.want, tolerance)
	if err != nil {
		return err
	}
	f := parity.Finding{Subject: session.Engine(), Against: nativeEngine, Tensor: r.name, Elements: a.Examples, MaxAbs: a.MaxAbs,
		Share: a.Share, OK: a.OK() && a.Share <= 1}
	if e.Tolerance == nil {
		agreement := float64(a.Same) / float64(a.Examples)
		f.Agreement, f.OK = &agreement, agreement >= e.Agreement
		if agreement < 1 {
			f.Share = (1 - agreement) / max(1-e.Agreement, 1e-9)
		}
	}
	f.Worst = fmt.Sprintf("%d the same, %d ties, %d different", a.Same, a.Ties, a.Different)
	if len(a.Places) > 0 {
		f.Worst += ": " + strings.Join(a.Places, ", ")
	}
	p.report.Add(f)
	return nil
}
