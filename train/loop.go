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

// method is what pre-training and fine-tuning do each in its own way.
type method interface {
	// steps returns how many optimizer steps a new run has.
	steps(ctx context.Context) (int, error)
	// options puts those of the run, and the fingerprint of what it is trained on, into a state.
	options(*State)
	// checkResume reports why the run cannot go on from a checkpoint.
	checkResume(*Checkpoint) error
	// loader makes the steps from a position on, the first of that number.
	loader(at Position, step uint64) *loader
	// training puts the means of a step's losses into its line.
	training(*Metrics, models.Losses, models.Denominators)
	// due reports whether the model is evaluated after a step, which is saved or not.
	due(step int, saved bool) bool
	// evaluate computes the scores of the weights and keeps them in the state.
	evaluate(ctx context.Context) error
	// best returns the best checkpoint once the state is saved.
	best() *Best
	// wanted reports whether the state must be saved, be it due or not.
	wanted() bool
	// over reports whether the run ends before its last step.
	over() bool
}

// course is what the options of a run say of how it goes.
type course struct {
	directory string
	resume    *Checkpoint
	schedule  Schedule
	Optimization
	evaluateEvery, checkpointEvery, keepCheckpoints int
	sum                                             func([]float32) error // over replicas; nil without
	writeTokenizer                                  func(directory string) error
}

// run is a training under way.
type run struct {
	method   method
	engine   Engine
	course   course
	observer Observer

	plan    *Plan
	metrics *metricsLog
	last    *Metrics // of the last step, if any
	state   State
	began   time.Time
	before  float64 // seconds that the run took before it was resumed
}

// toTheEnd makes the run, whose plan is made, from its start or from the checkpoint that it is resumed from.
func (r *run) toTheEnd(ctx context.Context) error {
	start := r.start
	if r.course.resume != nil {
		start = r.resume
	}
	err := start(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("train: interrupted before the first step: %w", ctx.Err())
	}
	if err != nil {
		return err
	}
	if err := r.train(ctx); err != nil {
		return r.interrupted(ctx, err)
	}
	return nil
}

// close closes the metrics.
func (r *run) close() {
	if r.metrics != nil {
		r.metrics.close()
	}
}

// start begins a run at step 0, with a checkpoint: from then on it can be resumed, and the disk has shown that it
// holds one.
func (r *run) start(ctx context.Context) error {
	directory := r.course.directory
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
	steps, err := r.method.steps(ctx)
	if err != nil {
		return err
	}
	r.state = State{Steps: steps, KernelSet: r.engine.KernelSet()}
	r.method.options(&r.state)
	r.begin()
	if r.metrics, err = openMetrics(directory, -1); err != nil {
		return err
	}
	if err := r.method.evaluate(ctx); err != nil {
		return err
	}
	if err := r.record(Metrics{Seconds: r.seconds()}); err != nil {
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
func (r *run) resume(ctx context.Context) error {
	c, directory := r.course.resume, r.course.directory
	if err := r.method.checkResume(c); err != nil {
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
	return r.catchUp(ctx)
}

// catchUp makes the evaluation of a step that was interrupted after it and before that.
func (r *run) catchUp(ctx context.Context) error {
	s := &r.state
	if s.evaluated() || r.last == nil || r.last.Step != s.Step || !r.method.due(s.Step, r.saves()) {
		return nil
	}
	line := *r.last
	if err := r.method.evaluate(ctx); err != nil || !s.evaluated() {
		return err
	}
	if err := r.metrics.removeLast(r.course.directory); err != nil {
		return err
	}
	return r.record(line)
}

// begin completes the plan and tells it.
func (r *run) begin() {
	r.plan.Step, r.plan.Steps = r.state.Step, r.state.Steps
	c := &r.course
	if c.evaluateEvery == 0 {
		c.evaluateEvery = max(1, (r.state.Steps+evaluationsOfRun-1)/evaluationsOfRun)
	}
	if c.checkpointEvery == 0 {
		c.checkpointEvery = c.evaluateEvery
	}
	r.observer.Begin(*r.plan)
}

// train makes the steps that are left.
func (r *run) train(ctx context.Context) error {
	l := r.method.loader(r.state.Position, uint64(r.state.Step))
	defer l.close()
	for r.state.Step < r.state.Steps && !r.method.over() {
		line, err := r.step(ctx, l)
		if err != nil {
			return err
		}
		var failed error
		if r.method.due(r.state.Step, r.saves()) {
			failed = r.method.evaluate(ctx)
		}
		if err := r.record(*line); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		if r.saves() || r.method.wanted() {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// saves reports whether a checkpoint is due after this step.
func (r *run) saves() bool {
	return r.state.Step == r.state.Steps || r.state.Step%r.course.checkpointEvery == 0
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
	if r.course.sum != nil {
		if err := r.engine.AllReduce(r.course.sum); err != nil {
			return nil, fmt.Errorf("train: step %d: sum gradients over replicas: %w", r.state.Step+1, err)
		}
	}
	if sum := losses.MaskedLM + losses.Sentence + losses.Task; !finite(sum) {
		return nil, r.diverged(r.state.Step+1, "loss", sum)
	}
	rate := r.course.schedule.At(r.state.Step, r.state.Steps)
	norm, err := r.engine.Step(r.course.hyperparameters(rate))
	if !finite(norm) {
		return nil, r.diverged(r.state.Step+1, "gradient", norm)
	}
	if err != nil {
		return nil, fmt.Errorf("train: step %d: %w", r.state.Step+1, err)
	}
	r.state.Step++
	r.state.Position = prepared.end
	r.state.Tokens += int64(prepared.tokens)
	r.state.HeldOut, r.state.Dev = nil, nil
	m := &Metrics{
		Step: r.state.Step, LearningRate: rate, GradNorm: norm, Tokens: r.state.Tokens,
		TokensPerSecond: float64(prepared.tokens) / time.Since(begin).Seconds(), Seconds: r.seconds(),
	}
	r.method.training(m, losses, prepared.denominators)
	return m, nil
}

// diverged says that a value at a step is not a number.
func (r *run) diverged(step int, what string, value float64) error {
	last := "none before it was finite"
	if r.last != nil {
		if loss, there := r.last.loss(); there {
			last = fmt.Sprintf("the last finite loss was %.4f at step %d", loss, r.last.Step)
		}
	}
	advice := "a longer warm-up"
	if r.course.MaxGradNorm == 0 {
		advice = "clipping (max-grad-norm 1)"
	}
	err := fmt.Errorf("train: step %d: the %s is %v, %s; try a learning rate below %v or %s",
		step, what, value, last, r.course.schedule.LearningRate, advice)
	directories, readErr := checkpointDirectories(r.course.directory)
	if readErr != nil || len(directories) == 0 {
		return err
	}
	return fmt.Errorf("%w; %s is whole", err, directories[len(directories)-1])
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// record adds a line, with the scores of the state, to the metrics and tells it; after an evaluation the curves are drawn
// anew.
func (r *run) record(m Metrics) error {
	m.HeldOut, m.Dev = r.state.HeldOut, r.state.Dev
	if err := r.metrics.add(m); err != nil {
		return err
	}
	r.last = &m
	r.observer.Step(m)
	if !r.state.evaluated() {
		return nil
	}
	return DrawCurves(filepath.Join(r.course.directory, CurvesFile), r.metrics.lines, r.curveReferences())
}

// save writes the checkpoint of this step, unless it is there, and then removes old ones.
func (r *run) save() error {
	directory := stepDirectory(r.course.directory, r.state.Step)
	if _, err := os.Stat(directory); err == nil {
		return nil
	}
	if err := r.metrics.sync(); err != nil {
		return err
	}
	s := &r.state
	s.Seconds = r.seconds()
	s.Best = r.method.best()
	if err := writeCheckpoint(r.course.directory, r.engine, r.course.writeTokenizer, *s); err != nil {
		return err
	}
	r.observer.Saved(directory)
	return removeCheckpoints(r.course.directory, r.course.keepCheckpoints, s.Best)
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
		r.state.Step, r.state.Steps, stepDirectory(r.course.directory, r.state.Step), ctx.Err())
}

// seconds returns how long the run has taken, interruptions not counted.
func (r *run) seconds() float64 { return r.before + time.Since(r.began).Seconds() }
