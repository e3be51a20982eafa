package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"goalbert/models"
)

// Observer is told how a run goes on.
type Observer interface {
	Begin(Plan)     // once, before the first step
	Step(Metrics)   // after each step, and with step 0 before the first
	Note(string)    // a sentence that the user should read
	Saved(d string) // a checkpoint is whole
}

// run is a pre-training under way.
type run struct {
	engine   Engine
	data     *Data
	options  Options
	observer Observer

	source  *source
	heldOut *heldOutSet // nil if nothing is held out
	plan    *Plan
	metrics *metricsLog
	last    *Metrics // of the last step, if any
	state   State
	began   time.Time
	before  float64 // seconds that the run took before it was resumed
}

// Pretrain trains the model of e on data and leaves in o.Directory the metrics, the curves, checkpoints, and the model
// after the last step. A cancelled context ends it with a checkpoint and an error that wraps the context's; a loss or
// gradient that is not finite ends it without touching the last checkpoint. To resume, e must hold the weights of the
// checkpoint o.Resume; then it ends with the same weights as a run that was never interrupted.
func Pretrain(ctx context.Context, e Engine, data *Data, o Options, observer Observer) (*Result, error) {
	r := &run{engine: e, data: data, options: o, observer: observer, began: time.Now()}
	if err := o.validate(e.Weights().Config); err != nil {
		return nil, err
	}
	if err := data.validate(e.Weights().Config); err != nil {
		return nil, err
	}
	var err error
	if r.source, r.heldOut, r.plan, err = prepare(data, &o); err != nil {
		return nil, err
	}
	start := r.start
	if o.Resume != nil {
		start = r.resume
	}
	err = start(ctx)
	if r.metrics != nil {
		defer r.metrics.close()
	}
	if err != nil && err == ctx.Err() {
		return nil, fmt.Errorf("train: interrupted before the first step: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if err := r.train(ctx); err != nil {
		return nil, r.interrupted(ctx, err)
	}
	result, err := r.finish(ctx)
	if err != nil {
		return nil, r.interrupted(ctx, err)
	}
	return result, nil
}

// start begins a run at step 0, with a checkpoint: from then on it can be resumed, and the disk has shown that it
// holds one.
func (r *run) start(ctx context.Context) error {
	directory := r.options.Directory
	for _, name := range []string{CheckpointsDirectory, ModelDirectory} {
		if entries, err := os.ReadDir(filepath.Join(directory, name)); err == nil && holdsRun(entries) {
			return fmt.Errorf("train: %s holds a run already; go on with it (--resume) or choose another directory", directory)
		}
	}
	if err := os.MkdirAll(directory, 0o777); err != nil {
		return fmt.Errorf("train: make the run's directory: %w", err)
	}
	if err := removePartial(directory); err != nil {
		return err
	}
	steps, err := r.steps(ctx)
	if err != nil {
		return err
	}
	r.state = State{
		Steps: steps, Options: r.options, Data: r.data.fingerprint, KernelSet: r.engine.KernelSet(),
	}
	r.begin()
	if r.metrics, err = openMetrics(directory, -1); err != nil {
		return err
	}
	scores, err := r.evaluate(ctx)
	if err != nil {
		return err
	}
	if err := r.record(Metrics{Seconds: r.seconds(), HeldOut: scores}); err != nil {
		return err
	}
	return r.save()
}

// holdsRun reports whether anything whole is among the entries.
func holdsRun(entries []fs.DirEntry) bool {
	for _, e := range entries {
		if e.Name()[0] != '.' {
			return true
		}
	}
	return false
}

// resume goes back to a checkpoint.
func (r *run) resume(context.Context) error {
	c, directory := r.options.Resume, r.options.Directory
	if err := checkResume(c, &r.options, r.data.fingerprint); err != nil {
		return err
	}
	if err := removePartial(directory); err != nil {
		return err
	}
	if err := r.engine.LoadOptimizer(filepath.Join(c.Directory, optimizerFile)); err != nil {
		return err
	}
	r.state, r.before = c.State, c.State.Seconds
	if now := r.engine.KernelSet(); now != r.state.KernelSet {
		r.observer.Note(fmt.Sprintf("the checkpoint was computed with %s, this machine uses %s: "+
			"the result will not be identical to the bit", r.state.KernelSet, now))
		r.state.KernelSet = now
	}
	r.plan.CheckpointDirectory = c.Directory
	r.begin()
	var err error
	if r.metrics, err = openMetrics(directory, r.state.Step); err != nil {
		return err
	}
	if n := len(r.metrics.lines); n > 0 {
		r.last = &r.metrics.lines[n-1]
	}
	return nil
}

// begin completes the plan and tells it.
func (r *run) begin() {
	r.plan.Step, r.plan.Steps = r.state.Step, r.state.Steps
	if r.options.EvaluateEvery == 0 {
		r.options.EvaluateEvery = max(1, (r.state.Steps+evaluationsOfRun-1)/evaluationsOfRun)
	}
	if r.options.CheckpointEvery == 0 {
		r.options.CheckpointEvery = r.options.EvaluateEvery
	}
	r.observer.Begin(*r.plan)
}

// train makes the steps that are left.
func (r *run) train(ctx context.Context) error {
	l := newLoader(r.source, &r.options, r.state.Position, uint64(r.state.Step))
	defer l.close()
	for r.state.Step < r.state.Steps {
		line, err := r.step(ctx, l)
		if err != nil {
			return err
		}
		last := r.state.Step == r.state.Steps
		saves := last || r.state.Step%r.options.CheckpointEvery == 0
		var failed error
		if saves || r.state.Step%r.options.EvaluateEvery == 0 {
			line.HeldOut, failed = r.evaluate(ctx)
		}
		if err := r.record(*line); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		if saves {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// step makes one optimizer step and moves the state beyond it. If it fails the state stays, and so do the weights,
// unless the optimizer itself failed.
func (r *run) step(ctx context.Context, l *loader) (*Metrics, error) {
	begin := time.Now()
	prepared, err := l.next(ctx)
	if err != nil {
		return nil, err
	}
	var losses models.Losses
	for _, b := range prepared.batches {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		sums, err := r.engine.Accumulate(b, prepared.denominators)
		if err != nil {
			return nil, fmt.Errorf("train: step %d: %w", r.state.Step+1, err)
		}
		losses.Add(sums)
	}
	if r.options.Replicas > 1 {
		if err := r.engine.AllReduce(r.options.Sum); err != nil {
			return nil, fmt.Errorf("train: step %d: sum gradients over replicas: %w", r.state.Step+1, err)
		}
	}
	if !finite(losses.MaskedLM) || !finite(losses.Sentence) {
		return nil, r.diverged(r.state.Step+1, "loss", losses.MaskedLM+losses.Sentence)
	}
	rate := r.options.Schedule.At(r.state.Step, r.state.Steps)
	norm, err := r.engine.Step(r.options.hyperparameters(rate))
	if !finite(norm) {
		return nil, r.diverged(r.state.Step+1, "gradient", norm)
	}
	if err != nil {
		return nil, fmt.Errorf("train: step %d: %w", r.state.Step+1, err)
	}
	r.state.Step++
	r.state.Position = prepared.end
	r.state.Tokens += int64(prepared.tokens)
	r.state.HeldOut = nil
	return &Metrics{
		Step: r.state.Step, Scores: newScores(losses), LearningRate: rate, GradNorm: norm, Tokens: r.state.Tokens,
		TokensPerSecond: float64(prepared.tokens) / time.Since(begin).Seconds(), Seconds: r.seconds(),
	}, nil
}

// diverged says that a value at a step is not a number.
func (r *run) diverged(step int, what string, value float64) error {
	last := "none before it was finite"
	if r.last != nil && r.last.Scores != nil {
		last = fmt.Sprintf("the last finite loss was %.4f at step %d", r.last.MaskedLMLoss, r.last.Step)
	}
	advice := "a longer warm-up"
	if r.options.MaxGradNorm == 0 {
		advice = "clipping (max-grad-norm 1)"
	}
	err := fmt.Errorf("train: step %d: the %s is %v, %s; try a learning rate below %v or %s",
		step, what, value, last, r.options.LearningRate, advice)
	directories, readErr := checkpointDirectories(r.options.Directory)
	if readErr != nil || len(directories) == 0 {
		return err
	}
	return fmt.Errorf("%w; %s is whole", err, directories[len(directories)-1])
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// record adds a line to the metrics and tells it; after an evaluation the curves are drawn anew.
func (r *run) record(m Metrics) error {
	if err := r.metrics.add(m); err != nil {
		return err
	}
	r.last = &m
	r.observer.Step(m)
	if m.HeldOut == nil {
		return nil
	}
	return DrawCurves(filepath.Join(r.options.Directory, CurvesFile), r.metrics.lines, r.curveReferences())
}

// save writes the checkpoint of this step, unless it is there, and then removes old ones.
func (r *run) save() error {
	directory := stepDirectory(r.options.Directory, r.state.Step)
	if _, err := os.Stat(directory); err == nil {
		return nil
	}
	if err := r.metrics.sync(); err != nil {
		return err
	}
	s := &r.state
	s.Seconds = r.seconds()
	if s.HeldOut != nil && (s.Best == nil || s.HeldOut.MaskedLMLoss < s.Best.MaskedLMLoss) {
		s.Best = &Best{Step: s.Step, MaskedLMLoss: s.HeldOut.MaskedLMLoss}
	}
	if err := writeCheckpoint(r.options.Directory, r.engine, r.data.WriteTokenizer, *s); err != nil {
		return err
	}
	r.observer.Saved(directory)
	return removeCheckpoints(r.options.Directory, r.options.KeepCheckpoints, s.Best)
}

// interrupted writes a checkpoint if it was the context that ended the training, and returns what to tell.
func (r *run) interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	if err := r.save(); err != nil {
		return err
	}
	return fmt.Errorf("train: interrupted after step %d of %d; %s is whole, go on with --resume: %w",
		r.state.Step, r.state.Steps, stepDirectory(r.options.Directory, r.state.Step), ctx.Err())
}

// seconds returns how long the run has taken, interruptions not counted.
func (r *run) seconds() float64 { return r.before + time.Since(r.began).Seconds() }
