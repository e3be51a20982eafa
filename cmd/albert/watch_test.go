package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"goalbert/models"
	"goalbert/runtime"
)

// counter is a session that computes nothing.
type counter struct{ runtime.Session }

func (counter) Engine() string { return "counter" }

func (counter) Run(context.Context, map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	return nil, nil
}

// Where there is no terminal a line says now and then how far it is, and not at once.
func TestWatch(t *testing.T) {
	c := newEval()
	var said strings.Builder
	c.SetErr(&said)
	w := watch(c, counter{}, 2000)
	run := func() {
		if _, err := w.Run(t.Context(), map[string]runtime.Tensor{models.InputIDs: runtime.NewTensor(make([]int64, 1500), 125, 4, 3)}); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if said.Len() > 0 {
		t.Errorf("at once it said %q", said.String())
	}
	w.show.told, w.show.began = w.show.told.Add(-tellEvery), w.show.began.Add(-10*time.Second)
	run()
	run()
	w.end()
	if want := "counter: 1,000 of 2,000 sequences, 10s left\n"; said.String() != want {
		t.Errorf("it said %q, want %q", said.String(), want)
	}
}
