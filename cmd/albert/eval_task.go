package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/tasks"
)

// taskEvaluation is what albert eval finds of a fine-tuned model.
type taskEvaluation struct {
	Task      string             `json:"task"`
	Data      []string           `json:"data"`
	Examples  int                `json:"examples"`
	Truncated int                `json:"truncated"`
	Bad       int                `json:"bad"` // left out
	Engines   []engineEvaluation `json:"engines"`
}

// engineEvaluation is that of one engine.
type engineEvaluation struct {
	Model     string              `json:"model"`
	Engine    string              `json:"engine"`
	Scores    tasks.Scores        `json:"scores"` // the task's own metric first
	Seconds   float64             `json:"seconds"`
	Agreement *evaluate.Agreement `json:"agreement,omitempty"` // with the checkpoint
	Agrees    *bool               `json:"agrees,omitempty"`
}

// taskEvaluator is the flags of an evaluation by a task.
type taskEvaluator struct {
	*taskFlags
	data         []string
	split        string
	agreeWith    string
	minAgreement float64
	predictions  string
}

func bindTaskEvaluation(c *cobra.Command) *taskEvaluator {
	f := c.Flags()
	e := &taskEvaluator{taskFlags: bindTask(f, "task", "what the examples are of; otherwise what the model was fine-tuned for: "+taskUsage())}
	f.StringSliceVar(&e.data, "data", nil, "labelled examples, or the directory of a data set whose files the task knows by name")
	f.StringVar(&e.split, "split", tasks.Dev, "of such a directory: dev or test")
	f.StringVar(&e.agreeWith, "agree-with", "", "a checkpoint whose predictions, natively, must be the same but for ties")
	f.Float64Var(&e.minAgreement, "min-agreement", parity.LeastAgreement, "of files of int8 or int4, which have no tolerance: the share of predictions that must be the same")
	f.StringVar(&e.predictions, "predictions", "", "file that gets the predictions of the last engine, a JSON object a line")
	return e
}

// asked reports whether an evaluation by a task is meant.
func (e *taskEvaluator) asked() bool { return len(e.data) > 0 || e.name != "" || e.agreeWith != "" }

func (e *taskEvaluator) run(c *cobra.Command, path string, engine *engineOptions, asJSON bool) error {
	if len(e.data) == 0 {
		return usagef("--data is missing: a file of labelled examples")
	}
	if !(e.minAgreement >= 0 && e.minAgreement <= 1) {
		return usagef("min-agreement is %v, want 0 to 1", e.minAgreement)
	}
	if err := engine.check(); err != nil {
		return err
	}
	r := &taskRun{taskEvaluator: e, command: c}
	var reference *evaluate.TaskResult
	if e.agreeWith != "" {
		var err error
		if reference, err = r.in(nativeEngine, e.agreeWith, engine); err != nil {
			return err
		}
	}
	names := engine.engines
	if filepath.Ext(path) != ".onnx" {
		names = names[:1]
	}
	agrees := true
	for _, name := range names {
		got, err := r.in(name, path, engine)
		if err != nil {
			return err
		}
		r.last = got
		if reference == nil {
			continue
		}
		ok, err := r.compare(path, got, reference)
		if err != nil {
			return err
		}
		agrees = agrees && ok
	}
	if e.predictions != "" {
		err := models.WriteFile(e.predictions, func(w io.Writer) error {
			return writePredictions(w, r.set.Examples, r.last.Predictions, true)
		})
		if err != nil {
			return err
		}
	}
	r.result.Task, r.result.Data = r.task.Name(), e.data
	r.result.Examples, r.result.Truncated, r.result.Bad = len(r.set.Examples), r.set.Truncated, r.set.Bad
	if err := show(c, asJSON, r.result, r.result.write); err != nil {
		return err
	}
	if !agrees {
		return fmt.Errorf("eval: %s does not predict what %s does", path, e.agreeWith)
	}
	return nil
}

// taskRun is an evaluation of several models, or of one in several engines, on the same examples.
type taskRun struct {
	*taskEvaluator
	command *cobra.Command
	task    tasks.Task
	set     *tasks.Set // nil before the first model
	last    *evaluate.TaskResult
	result  taskEvaluation
}

// in evaluates a model in an engine; a checkpoint natively.
func (r *taskRun) in(engine, path string, o *engineOptions) (*evaluate.TaskResult, error) {
	one := *o
	one.engines = []string{engine}
	m, err := one.openTaskModel(r.command, path)
	if err != nil {
		return nil, err
	}
	defer m.session.Close()
	if r.set == nil {
		if err := r.prepare(m); err != nil {
			return nil, err
		}
	} else if err := r.task.Adopt(m.config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	began, shown := time.Now(), watch(r.command, m.session, sequencesOf(r.set))
	got, err := evaluate.Task(r.command.Context(), shown, m.config, r.task, r.set)
	shown.end()
	if err != nil {
		return nil, err
	}
	r.result.Engines = append(r.result.Engines, engineEvaluation{
		Model: path, Engine: m.session.Engine(), Scores: got.Scores, Seconds: time.Since(began).Seconds(),
	})
	return got, nil
}

func sequencesOf(set *tasks.Set) (n int) {
	for _, f := range set.Features {
		n += len(f.Sequences)
	}
	return n
}

// prepare opens the task of the first model and reads its examples.
func (r *taskRun) prepare(m *model) (err error) {
	if r.task, err = r.of(m.config, r.data...); err != nil {
		return err
	}
	if len(r.data) == 1 && isDirectory(r.data[0]) {
		if r.data, err = r.files(nil, r.data[0], r.split); err != nil {
			return err
		}
	}
	r.set, err = r.load(r.command, r.task, m.tokenizer, true, r.data...)
	return err
}

// compare adds to the last result how far it agrees with the checkpoint's, and reports whether that is enough.
func (r *taskRun) compare(path string, got, reference *evaluate.TaskResult) (bool, error) {
	tolerance, whole, err := toleranceOf(path)
	if err != nil {
		return false, err
	}
	a, err := evaluate.Agree(r.set, got, reference, tolerance)
	if err != nil {
		return false, err
	}
	ok := a.OK()
	if whole {
		ok = float64(a.Same) >= r.minAgreement*float64(a.Examples)
	}
	entry := &r.result.Engines[len(r.result.Engines)-1]
	entry.Agreement, entry.Agrees = a, &ok
	return ok, nil
}

// noTolerance admits every difference of outputs: where weights are whole numbers only what is predicted counts.
var noTolerance = numeric.Tolerance{Absolute: math.Inf(1)}

// toleranceOf returns what outputs of a file may differ by from its checkpoint's. One of whole numbers has no tolerance:
// only what is predicted counts.
func toleranceOf(path string) (t numeric.Tolerance, whole bool, err error) {
	if filepath.Ext(path) != ".onnx" {
		return numeric.Engine, false, nil
	}
	file, err := onnx.ReadGraph(path)
	if err != nil {
		return t, false, err
	}
	switch export.OptionsOf(file).Precision {
	case export.INT8, export.INT4:
		return noTolerance, true, nil
	}
	return parity.ToleranceOf(file), false, nil
}

func (e *taskEvaluation) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %s examples of %s\n", e.Task, counted(e.Examples), strings.Join(e.Data, ", "))
	for _, r := range e.Engines {
		fmt.Fprintf(w, "%s, %s: %s in %.1f s\n", r.Model, r.Engine, scoreText(r.Scores), r.Seconds)
		if a := r.Agreement; a != nil {
			verdict := "agrees"
			if !*r.Agrees {
				verdict = "DIFFERS"
			}
			fmt.Fprintf(w, "  %s: %s predictions are the checkpoint's, %d ties, %d others; outputs differ by at most %.2g",
				verdict, counted(a.Same), a.Ties, a.Different, a.MaxAbs)
			if a.Share > 0 {
				fmt.Fprintf(w, ", %.2g of the tolerance", a.Share)
			}
			if len(a.Places) > 0 {
				fmt.Fprintf(w, "; %s", strings.Join(a.Places, ", "))
			}
			fmt.Fprintln(w)
		}
	}
}

// scoreText writes scores in a line.
func scoreText(scores tasks.Scores) string {
	var parts []string
	for _, s := range scores {
		parts = append(parts, fmt.Sprintf("%s %.4f", s.Name, s.Value))
	}
	return strings.Join(parts, ", ")
}
