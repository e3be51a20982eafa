package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"goalbert/evaluate"
	"goalbert/internal/machine"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// benchHello is what a worker says first.
type benchHello struct {
	Engine    string
	Load      time.Duration // of the session
	Resident  int64
	Loaded    string         // what of a checkpoint is not as it was in its files
	Placement *ort.Placement // alone, of a worker that counts nodes
}

// benchAnswer is what a worker says of a run.
type benchAnswer struct {
	Time     time.Duration
	Resident int64
}

// serve is a worker: it loads the model, says how long that took, and runs each load that it reads, once. It ends with its
// input.
func (b *bench) serve(ctx context.Context, path string, in io.Reader, out io.Writer) error {
	engine := b.engine.engines[0]
	dir := path
	if engine != nativeEngine {
		dir = filepath.Dir(path)
	}
	config, err := models.ReadConfig(dir)
	if err != nil {
		return fmt.Errorf("bench: %s: its configuration: %w", path, err)
	}
	b.engine.threads = b.threads[0]
	if engine == onnxRuntime {
		if _, err := ort.Load(*b.engine.library); err != nil {
			return err
		}
	}
	began := time.Now()
	var session runtime.Session
	var loaded models.Loaded
	switch engine {
	case nativeEngine:
		session, loaded, err = native.Open(path, threadCount(b.engine.threads))
	case onnxRuntime: // nodes are counted in another process
		session, err = ort.Open(path, b.engine.sessionOptions())
	default:
		session, err = b.engine.open(engine, path)
	}
	if err != nil {
		return err
	}
	defer session.Close()
	answers := json.NewEncoder(out)
	hello := benchHello{Engine: session.Engine(), Load: time.Since(began), Resident: machine.ResidentMemory(), Loaded: loaded.String()}
	if err := answers.Encode(hello); err != nil {
		return err
	}
	loads := json.NewDecoder(in)
	for {
		var l evaluate.Load
		if err := loads.Decode(&l); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		inputs, err := evaluate.LoadInputs(config, l)
		if err != nil {
			return err
		}
		t, err := evaluate.RunTime(ctx, session, inputs)
		if err != nil {
			return err
		}
		if err := answers.Encode(benchAnswer{t, machine.ResidentMemory()}); err != nil {
			return err
		}
	}
}

// servePlacement is a worker that says which provider runs each node, and ends.
func (b *bench) servePlacement(path string, out io.Writer) error {
	p, err := ort.Place(path, b.engine.sessionOptions(), nil)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(benchHello{Placement: &p})
}

// place returns which provider runs each node of an entry, nil where there is only one that may. A process of its own
// counts them, which takes part neither in the time nor in the memory of those that are measured.
func (b *bench) place(ctx context.Context, e entry) (*ort.Placement, error) {
	if o := b.engine.sessionOptions(); e.engine != onnxRuntime || o.Provider == ort.CPU || o.NoCPUFallback {
		return nil, nil
	}
	w, err := b.start(ctx, e, 0, "--place")
	if err != nil {
		return nil, err
	}
	_, err = w.end()
	return w.hello.Placement, err
}

// benchWorker is a process that serves.
type benchWorker struct {
	command  *exec.Cmd
	input    io.WriteCloser
	loads    *json.Encoder
	answers  *json.Decoder
	errors   bytes.Buffer
	hello    benchHello
	resident int64 // after the last run
}

// start starts the process of an entry, with the flags that this one was given and more, and waits until it has loaded the
// model.
func (b *bench) start(ctx context.Context, e entry, threads int, more ...string) (*benchWorker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	args := append([]string{"bench", "--worker", "--engine", e.engine, "--threads", strconv.Itoa(threads)}, more...)
	b.command.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "provider", "no-cpu-fallback", "library":
			args = append(args, "--"+f.Name+"="+f.Value.String())
		case "provider-option":
			args = append(args, "--"+f.Name+"="+strings.Trim(f.Value.String(), "[]"))
		}
	})
	w := &benchWorker{command: exec.CommandContext(ctx, program, append(args, "--", e.path)...)}
	w.command.Stderr = &w.errors
	if w.input, err = w.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	output, err := w.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	w.loads, w.answers = json.NewEncoder(w.input), json.NewDecoder(output)
	if err := w.command.Start(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := w.read(&w.hello); err != nil {
		return nil, err
	}
	w.resident = w.hello.Resident
	return w, nil
}

// run has the worker run a load once.
func (w *benchWorker) run(l evaluate.Load) (time.Duration, error) {
	if err := w.loads.Encode(l); err != nil {
		return 0, w.failed(err)
	}
	var a benchAnswer
	if err := w.read(&a); err != nil {
		return 0, err
	}
	w.resident = a.Resident
	return a.Time, nil
}

func (w *benchWorker) read(answer any) error {
	if err := w.answers.Decode(answer); err != nil {
		return w.failed(err)
	}
	return nil
}

// failed returns what the worker said last, or else err.
func (w *benchWorker) failed(err error) error {
	w.input.Close()
	if w.command.Wait() == nil {
		return fmt.Errorf("bench: %w", err)
	}
	if said := lastSentence(w.errors.String()); said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("bench: the process of the model ended: %w", err)
}

// lastSentence returns what a process of ours ended with: the last line that we begin as all errors, or else the first, with
// which a crash begins. What comes before are notes.
func lastSentence(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	for _, line := range slices.Backward(lines) {
		if sentence, ok := strings.CutPrefix(line, "albert: "); ok {
			return sentence
		}
	}
	return lines[0]
}

// end ends the worker and returns the most memory that was resident.
func (w *benchWorker) end() (peak int64, err error) {
	w.input.Close()
	if err := w.command.Wait(); err != nil {
		return 0, w.failed(err)
	}
	return int64(machine.PeakMemory(w.command.ProcessState)), nil
}

// kill ends a worker that end has not.
func (w *benchWorker) kill() {
	if w != nil && w.command.ProcessState == nil {
		w.command.Process.Kill()
		w.command.Wait()
	}
}
