package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// long is a training of some seconds with many checkpoints.
func (p project) long(out string, more ...string) []string {
	return p.pretrain(out, append([]string{"--steps", "120", "--checkpoint-every", "10", "--evaluate-every", "30", "--learning-rate", "3e-3"}, more...)...)
}

func weightsOf(t *testing.T, run string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(run, "model", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Killed at random moments and resumed, a training ends with the bytes of one that was left alone, with one thread and
// with two, in turn.
func TestKilledAndResumed(t *testing.T) {
	p := newProject(t)
	began := time.Now()
	must(t, p.long("whole", "--threads", "1")...)
	took := time.Since(began)
	want := weightsOf(t, p.path("whole"))
	must(t, p.long("two", "--threads", "2")...)
	if !bytes.Equal(weightsOf(t, p.path("two")), want) {
		t.Error("two threads give other weights than one")
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for _, threads := range []string{"1", "2"} {
		run := "killed" + threads
		kills := 0
		for attempt := 0; ; attempt++ {
			arguments := p.long(run, "--threads", threads)
			if saved, _ := filepath.Glob(p.path(run + "/checkpoints/step-*")); len(saved) > 0 {
				arguments = []string{"pretrain", p.corpus, "--out", p.path(run), "--resume", "--threads", threads, "--checkpoint-every", "10", "--evaluate-every", "30"}
			}
			command := exec.Command(program, arguments...)
			var stderr bytes.Buffer
			command.Stderr = &stderr
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			if attempt < 6 {
				time.AfterFunc(time.Duration(random.Float64()*float64(took)/2), func() { command.Process.Kill() })
			}
			if command.Wait() == nil {
				break
			}
			if command.ProcessState.ExitCode() != -1 {
				t.Fatalf("resumed after %d kills: %s", kills, stderr.String())
			}
			kills++
		}
		t.Logf("%s threads: killed %d times", threads, kills)
		if kills == 0 {
			t.Errorf("%s threads: the run ended before it was killed", threads)
		}
		if !bytes.Equal(weightsOf(t, p.path(run)), want) {
			t.Errorf("%s threads: killed %d times and resumed, the weights are others", threads, kills)
		}
	}
}

// An interruption ends the run with a checkpoint and exit code 130; it goes on to the same weights.
func TestInterrupted(t *testing.T) {
	p := newProject(t)
	must(t, p.long("whole")...)
	command := exec.Command(program, p.long("run", "--checkpoint-every", "1000")...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for { // until it has made steps
		metrics, _ := os.ReadFile(p.path("run/metrics.jsonl"))
		if bytes.Count(metrics, []byte("\n")) > 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no step within a minute")
		}
		time.Sleep(time.Millisecond)
	}
	command.Process.Signal(os.Interrupt)
	command.Wait()
	switch code := command.ProcessState.ExitCode(); code {
	case exitInterrupted:
	case 0:
		t.Skip("the run ended before the interruption reached it")
	default:
		t.Fatalf("got exit code %d, want %d: %s", code, exitInterrupted, stderr.String())
	}
	if !strings.Contains(stderr.String(), "is whole, go on with --resume") {
		t.Errorf("it said %q", stderr.String())
	}
	must(t, "pretrain", p.corpus, "--out", p.path("run"), "--resume", "--checkpoint-every", "1000")
	if !bytes.Equal(weightsOf(t, p.path("run")), weightsOf(t, p.path("whole"))) {
		t.Error("interrupted and resumed, the weights are others")
	}
}
