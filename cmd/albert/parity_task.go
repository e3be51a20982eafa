package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/tasks"
)

// examplesProof is the flags of albert parity that compare predictions on examples.
type examplesProof struct {
	*taskFlags
	data    []string
	maxDrop float64 // points
}

func bindExamples(c *cobra.Command) *examplesProof {
	e := &examplesProof{taskFlags: bindTask(c.Flags(), "data-task", "what the examples of --data are of; otherwise what the checkpoint was fine-tuned for")}
	c.Flags().StringSliceVar(&e.data, "data", nil, "examples, which need no labels: what a fine-tuned checkpoint predicts of them must be the same but for ties within the tolerance; with labels int8 and int4 files are scored as well")
	c.Flags().Float64Var(&e.maxDrop, "max-drop", 1, "points (hundredths) by which the score of an int8 or int4 file on labelled examples may be below native's, and three deviations of a sample of so many")
	return e
}

// predictions is what the checkpoint predicts, natively.
type predictions struct {
	task tasks.Task
	set  *tasks.Set
	want *evaluate.TaskResult
	name string // of the files, in the report

	scored tasks.Scores // of labelled examples; nil of others
}

// predict reads the examples for a checkpoint and predicts them natively; nil without examples.
func (p *modelProof) predict(checkpoint string) (*predictions, error) {
	if len(p.examples.data) == 0 {
		return nil, nil
	}
	flags, c := *p.examples.taskFlags, p.weights.Config
	t, err := openTokenizer(checkpoint)
	if err != nil {
		return nil, err
	}
	r := &predictions{name: filepath.Base(strings.Join(p.examples.data, ", "))}
	if r.task, err = flags.of(c, p.examples.data...); err != nil {
		return nil, err
	}
	files := p.examples.data
	if len(files) == 1 && isDirectory(files[0]) {
		if files, err = flags.files(nil, files[0], tasks.Dev); err != nil {
			return nil, err
		}
	}
	var unlabelled error
	if r.set, unlabelled = tasks.Load(r.task, true, flags.skipBad, files...); unlabelled != nil {
		if r.set, err = tasks.Load(r.task, false, flags.skipBad, files...); err != nil {
			return nil, err
		}
	}
	if err := encode(p.command, r.task, t, r.set, strings.Join(files, ", ")); err != nil {
		return nil, err
	}
	if r.want, err = evaluate.Predict(p.command.Context(), p.reference(p.weights, false), c, r.task, r.set); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(r.set.Examples, func(e *tasks.Example) bool { return !e.Labelled }) {
		if unlabelled != nil {
			note(p.command, "the predictions are compared, and not scored: %v", unlabelled)
		}
		return r, nil
	}
	r.scored, err = r.task.Score(p.command.Context(), r.set.Examples, r.want.Predictions)
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
	name := parity.PredictionsOf + r.name
	if e.Tolerance == nil {
		f := parity.Predictions(session.Engine(), nativeEngine, name, p.weights.Config, got.Outputs, r.want.Outputs, e.Agreement)
		if len(a.Places) > 0 {
			f.Worst += "; others in " + strings.Join(a.Places, ", ")
		}
		p.report.Add(f)
		return p.compareScores(session, got)
	}
	f := parity.Finding{Subject: session.Engine(), Against: nativeEngine, Tensor: name, Elements: a.Examples, MaxAbs: a.MaxAbs,
		Share: a.Share, OK: a.OK() && a.Share <= 1}
	f.Worst = fmt.Sprintf("%d the same, %d ties, %d different", a.Same, a.Ties, a.Different)
	if len(a.Places) > 0 {
		f.Worst += ": " + strings.Join(a.Places, ", ")
	}
	p.report.Add(f)
	return nil
}

// compareScores adds by how much an engine's score on labelled examples is below native's. They are a sample: of n examples of
// which a share d is lost the share that is has the deviation √(d(1-d)/n), and may be three of these above.
func (p *modelProof) compareScores(session runtime.Session, got *evaluate.TaskResult) error {
	r := p.predictions
	if r.scored == nil {
		return nil
	}
	scores, err := r.task.Score(p.command.Context(), r.set.Examples, got.Predictions)
	if err != nil {
		return err
	}
	points := 100.0
	if p.weights.Config.Architecture == models.ForQuestionAnswering { // whose official scores are points
		points = 1
	}
	n, lost := float64(len(r.set.Examples)), p.examples.maxDrop/100
	limit := 100 * (lost + 3*math.Sqrt(lost*(1-lost)/n))
	want, is := points*r.scored[0].Value, points*scores[0].Value
	f := parity.Finding{Subject: session.Engine(), Against: nativeEngine, Tensor: scores[0].Name + " of " + r.name, Elements: len(r.set.Examples),
		MaxAbs: math.Abs(want - is), OK: want-is <= limit,
		Worst: fmt.Sprintf("%.2f, native has %.2f: a drop of %.2f points, %.2f are admitted", is, want, want-is, limit)}
	if f.Share = max(0, want-is) / max(limit, 1e-9); math.IsNaN(want - is) {
		return fmt.Errorf("parity: the %s is %v, native's is %v: too few examples to be scored", scores[0].Name, is, want)
	}
	p.report.Add(f)
	return nil
}
