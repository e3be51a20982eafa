package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"goalbert/train"
)

// progress shows how a training, or an evaluation, goes on: a bar on a terminal, elsewhere a line every now and then.
type progress struct {
	w        io.Writer
	terminal bool
	bar      *progressbar.ProgressBar
	steps    int
	first    int // step that this run of the program began with
	began    time.Time
	told     time.Time // when the last line was written
}

var _ train.Observer = (*progress)(nil)

func newProgress(w io.Writer) *progress {
	f, file := w.(*os.File)
	return &progress{w: w, terminal: file && term.IsTerminal(int(f.Fd()))}
}

// tellEvery is how often a line is written where there is no terminal.
const tellEvery = 10 * time.Second

func (p *progress) Begin(plan train.Plan) {
	p.steps, p.first = plan.Steps, plan.Step
	steps := fmt.Sprintf("%d steps of about %s tokens", plan.Steps, counted(int(plan.TokensPerStep)))
	if plan.Features > 0 {
		p.line("%s sequences or groups of them to train on, %s", counted(plan.Features), steps)
	} else {
		p.line("%s documents to train on, %d held out (%d sentences dropped that training has too), %s",
			counted(plan.TrainingDocuments), plan.HeldOutDocuments, plan.DroppedSentences, steps)
	}
	if plan.CheckpointDirectory != "" {
		p.line("going on from %s", plan.CheckpointDirectory)
	}
	if p.terminal {
		p.bar = p.newBar()
	}
	p.began = time.Now()
}

func (p *progress) newBar() *progressbar.ProgressBar {
	return progressbar.NewOptions(p.steps, progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
}

func (p *progress) Step(m train.Metrics) {
	text := fmt.Sprintf("step %d of %d", m.Step, p.steps)
	loss := 0.0
	switch {
	case m.Scores != nil:
		loss = m.MaskedLMLoss
	case m.TaskScores != nil:
		loss = m.Loss
	}
	if m.Scores != nil || m.TaskScores != nil {
		text += fmt.Sprintf(", loss %.4f, %s tokens/s, %s left", loss, counted(int(m.TokensPerSecond)), p.left(m.Step))
	}
	if m.HeldOut != nil {
		p.line("%s", text+heldOut(m.HeldOut))
	} else if m.Dev != nil {
		p.line("%s; dev %s", text, scoreText(m.Dev))
	} else if !p.terminal && time.Since(p.told) >= tellEvery {
		p.line("%s", text)
	}
	if p.bar != nil {
		p.bar.Describe(text)
		p.bar.Set(m.Step)
	}
}

func heldOut(s *train.Scores) string {
	text := fmt.Sprintf("; held-out loss %.4f", s.MaskedLMLoss)
	if s.SentenceScores != nil {
		text += fmt.Sprintf(", sentences %.1f %%", 100*s.SentenceAccuracy)
	}
	return text
}

// left estimates how long the rest of the steps will take, from those that are done.
func (p *progress) left(step int) string {
	done := step - p.first
	if done <= 0 {
		return "?"
	}
	return rounded(time.Since(p.began) / time.Duration(done) * time.Duration(p.steps-step))
}

func (p *progress) Note(text string)       { p.line("note: %s", text) }
func (p *progress) Saved(directory string) {}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Clear()
	}
}

// line writes a line that stays, above the bar if there is one.
func (p *progress) line(format string, a ...any) {
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", a...)
	p.told = time.Now()
}
