package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestProcess(t *testing.T) {
	const script = `echo a peer; n=0; while read line; do n=$((n+1)); echo $n.5; done`
	p, err := start(exec.Command("sh", "-c", script))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []float64{1.5, 2.5} {
		if got, err := p.measure(); err != nil || got != want {
			t.Errorf("got %v, error %v, want %v", got, err, want)
		}
	}
	if memory, err := p.stop(); err != nil || memory < 1e5 || memory > 1e9 || p.name != "a peer" {
		t.Errorf("%q ended with %v bytes, error %v", p.name, memory, err)
	}
}

// The error of a process that ends is what it said last.
func TestProcessFails(t *testing.T) {
	_, err := start(exec.Command("sh", "-c", `echo first >&2; echo no module >&2; exit 3`))
	if err == nil || err.Error() != "sh (exit status 3): no module" {
		t.Errorf("at the start: got error %v", err)
	}
	p, err := start(exec.Command("sh", "-c", `echo peer; read line; echo "panic: no" >&2; echo main.go >&2; exit 2`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.measure(); err == nil || err.Error() != "sh (exit status 2): panic: no" {
		t.Errorf("at a measurement: got error %v", err)
	}
	if _, err := start(exec.Command("/nonexistent")); err == nil {
		t.Error("a program that is not there starts")
	}
}

// Both ends of the protocol fit together.
func TestServe(t *testing.T) {
	var out strings.Builder
	n := 0.0
	measure := func() (float64, error) { n += 0.25; return n, nil }
	err := serve("us", measure, strings.NewReader("go\ngo\n"), &out)
	if got := out.String(); err != nil || got != "us\n0.25\n0.5\n" {
		t.Errorf("got %q, error %v", got, err)
	}
}
