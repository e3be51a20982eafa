package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"goalbert/models"
	"goalbert/runtime"
)

// watched is a session that shows how many of its sequences it has run.
type watched struct {
	runtime.Session
	show *progress
	done int
}

// watch returns session with its progress shown until end, of as many sequences as it will run. What takes less than a
// moment shows nothing.
func watch(c *cobra.Command, session runtime.Session, sequences int) *watched {
	p := newProgress(c.ErrOrStderr())
	p.steps, p.began, p.told = sequences, time.Now(), time.Now()
	return &watched{Session: session, show: p}
}

// Run implements [runtime.Session].
func (w *watched) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	outputs, err := w.Session.Run(ctx, inputs)
	if err == nil {
		sequences := 1
		for shape := inputs[models.InputIDs].Shape; len(shape) > 1; shape = shape[1:] { // of choices there are several an example
			sequences *= shape[0]
		}
		w.done += sequences
		w.show.sequences(w.Engine(), w.done)
	}
	return outputs, err
}

func (w *watched) end() { w.show.end() }

// sequences shows how many sequences are done.
func (p *progress) sequences(engine string, done int) {
	text := fmt.Sprintf("%s: %s of %s sequences, %s left", engine, counted(done), counted(p.steps), p.left(done))
	switch {
	case p.terminal && time.Since(p.began) >= time.Second:
		if p.bar == nil {
			p.bar = p.newBar()
		}
		p.bar.Describe(text)
		p.bar.Set(done)
	case !p.terminal && time.Since(p.told) >= tellEvery:
		p.line("%s", text)
	}
}
