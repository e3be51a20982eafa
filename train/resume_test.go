package train

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"goalbert/models"
)

// A process that is killed leaves the disk as it is at that moment. The fake engine copies the run's directory at
// every call that it gets, in the midst of writing a checkpoint too, as does the tokenizer that is saved, and the
// observer. From each of these copies a resumed run must end with the bytes of an uninterrupted one.
func TestKilledAtAnyMomentAndResumed(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Steps, o.EvaluateEvery, o.CheckpointEvery, o.KeepCheckpoints, o.HeldOutSequences = 4, 4, 2, 1, 4
	want := uninterrupted(t, o)

	crashes, seen := t.TempDir(), map[string]bool{}
	crash := func() {
		copied := filepath.Join(crashes, "run")
		if err := os.CopyFS(copied, os.DirFS(o.Directory)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if os.Rename(copied, filepath.Join(crashes, tree(t, copied, seen))) != nil {
			os.RemoveAll(copied) // the same as before
		}
	}
	e, data := newFakeEngine(), testData(t)
	e.called = func(string) { crash() }
	write := data.WriteTokenizer
	data.WriteTokenizer = func(directory string) error {
		crash()
		defer crash()
		return write(directory)
	}
	if _, err := Pretrain(context.Background(), e, data, o, &recorder{onStep: func(Metrics) { crash() }}); err != nil {
		t.Fatal(err)
	}
	crash()

	entries, err := os.ReadDir(crashes)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 25 {
		t.Fatalf("%d different states of the disk, want those of three checkpoints", len(entries))
	}
	t.Logf("%d different states of the disk", len(entries))
	for _, entry := range entries {
		o.Directory = filepath.Join(crashes, entry.Name())
		result, err := resumeRun(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
		if err != nil {
			t.Errorf("killed in state %s: %v", entry.Name(), err)
			continue
		}
		if readFile(t, result.Model, models.WeightsFile) != want {
			t.Errorf("killed in state %s: other weights than without interruption", entry.Name())
		}
		noPartial(t, o.Directory)
	}
}

// tree names the state of a directory: a number for the names and sizes of its files. It is empty if seen has it.
func tree(t *testing.T, directory string, seen map[string]bool) string {
	var names strings.Builder
	filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(path, partialInfix) // what follows is random
			names.WriteString(name + filepath.Base(path)[:1] + string(text))
		}
		return nil
	})
	fingerprint, err := Fingerprint(memory{{runes("of " + names.String())}}.blocks(1))
	if err != nil {
		t.Fatal(err)
	}
	hash := fingerprint[:16]
	if seen[hash] {
		return ""
	}
	seen[hash] = true
	return hash
}

func runes(s string) []int32 { return []rune(s) }

func noPartial(t *testing.T, run string) {
	t.Helper()
	filepath.WalkDir(run, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})
}

// A full disk while a checkpoint is written ends the run with the system's words, and the last checkpoint stays.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for fails := 0; fails < 16; fails += 8 {
		o, e := testOptions(t), newFakeEngine()
		saves := 0
		e.saveError = func(written int) error {
			if written == 0 {
				saves++
			}
			if saves == 3 && written == fails {
				return syscall.ENOSPC
			}
			return nil
		}
		_, err := Pretrain(context.Background(), e, testData(t), o, &recorder{})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("error %v, want that of a full disk", err)
		}
		noPartial(t, o.Directory)
		checkpoint, err := FindCheckpoint(o.Directory)
		if err != nil || checkpoint.State.Step != 3 {
			t.Fatalf("checkpoint %+v, %v, want step 3", checkpoint, err)
		}
	}
}

// finished returns the options of a finished run.
func finished(t *testing.T) Options {
	t.Helper()
	o := testOptions(t)
	if _, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, &recorder{}); err != nil {
		t.Fatal(err)
	}
	return o
}

// One changed byte, or a missing file, of the newest checkpoint is refused by the file's name, with what to do.
func TestDamagedCheckpoint(t *testing.T) {
	t.Parallel()
	o := finished(t)
	newest := filepath.Join(o.Directory, "checkpoints", "step-00000012")
	for _, name := range []string{"config.json", "model.safetensors", "spiece.model", "trainer/optimizer.safetensors",
		"trainer/state.json"} {
		path := filepath.Join(newest, name)
		whole := readFile(t, path)
		for what, damaged := range map[string][]byte{
			"truncated": []byte(whole[:len(whole)-2]),
			"changed":   append([]byte{whole[0] ^ 1}, whole[1:]...),
			"missing":   nil,
		} {
			os.Remove(path)
			if damaged != nil {
				os.WriteFile(path, damaged, 0o666)
			}
			_, err := FindCheckpoint(o.Directory)
			if err == nil || !strings.Contains(err.Error(), path) ||
				!strings.Contains(err.Error(), "remove "+newest+" to resume from step-00000009") {
				t.Errorf("%s %s: error %v does not name the file and the older checkpoint", what, name, err)
			}
		}
		os.WriteFile(path, []byte(whole), 0o666)
	}
	if _, err := FindCheckpoint(o.Directory); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(newest); err != nil {
		t.Fatal(err)
	}
	if c, err := FindCheckpoint(o.Directory); err != nil || c.State.Step != 9 {
		t.Errorf("without the newest: %+v, %v", c, err)
	}
}

// Resuming with an option that changes the result names it; one that does not is accepted.
func TestResumeWithOtherOptions(t *testing.T) {
	t.Parallel()
	o := finished(t)
	for want, change := range map[string]func(*Options){
		"seed is 12, the checkpoint was made with 11":                 func(o *Options) { o.Seed = 12 },
		"learning-rate is 0.1, the checkpoint was made with 0.001":    func(o *Options) { o.LearningRate = 0.1 },
		"sequence-length is 16, the checkpoint was made with 32":      func(o *Options) { o.SequenceLength = 16 },
		`objective is "nsp", the checkpoint was made with "sop"`:      func(o *Options) { o.Objective = NSP },
		"steps is 13, the checkpoint was made with 12":                func(o *Options) { o.Steps = 13 },
		"micro-batch is 1, the checkpoint was made with 8":            func(o *Options) { o.MicroBatchSequences = 1 },
		"bias-correction is false, the checkpoint was made with true": func(o *Options) { o.BiasCorrection = false },
		"mask-probability is 0.2, the checkpoint was made with 0.15":  func(o *Options) { o.Probability = 0.2 },
		`optimizer is "lamb", the checkpoint was made with "adamw"`:   func(o *Options) { o.Optimizer = models.LAMB },
		"held-out is 0.2, the checkpoint was made with 0.1":           func(o *Options) { o.HeldOut = 0.2 },
		"": func(o *Options) { o.EvaluateEvery, o.CheckpointEvery, o.KeepCheckpoints = 1, 1, 1 },
	} {
		changed := o
		change(&changed)
		_, err := resumeRun(context.Background(), newFakeEngine(), testData(t), changed, &recorder{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	e := newFakeEngine()
	e.weights.Config.NumHiddenLayers = 3
	if _, err := resumeRun(context.Background(), e, testData(t), o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "num_hidden_layers is 3, the checkpoint was made with 2") {
		t.Errorf("another configuration: error %v", err)
	}
	data := testData(t)
	other := testDocuments(60)
	other[3][0][0]++
	data.Corpus = other.blocks(1 << 20)
	if _, err := resumeRun(context.Background(), newFakeEngine(), data, o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "the text is not what the checkpoint was trained on") {
		t.Errorf("other text: error %v", err)
	}
}

// Another kernel set is told and accepted, and is what the next checkpoint names.
func TestResumeOnAnotherKernelSet(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	ctx, cancel := context.WithCancel(context.Background())
	stop := &recorder{onStep: func(m Metrics) {
		if m.Step == 4 {
			cancel()
		}
	}}
	Pretrain(ctx, newFakeEngine(), testData(t), o, stop)
	e, observer := newFakeEngine(), &recorder{}
	e.kernelSet = "other"
	if _, err := resumeRun(context.Background(), e, testData(t), o, observer); err != nil {
		t.Fatal(err)
	}
	if len(observer.notes) != 1 || !strings.Contains(observer.notes[0], "not be identical to the bit") {
		t.Errorf("notes %q", observer.notes)
	}
	if c, err := FindCheckpoint(o.Directory); err != nil || c.State.KernelSet != "other" {
		t.Errorf("%+v, %v", c, err)
	}
}

// A finished run that is resumed stays as it is, and tells its result again.
func TestResumeAFinishedRun(t *testing.T) {
	o := finished(t)
	before := readFile(t, o.Directory, "model", models.WeightsFile)
	e := newFakeEngine()
	e.called = func(method string) {
		if method == "Step" || method == "Accumulate" {
			t.Errorf("%s was called", method)
		}
	}
	result, err := resumeRun(context.Background(), e, testData(t), o, &recorder{})
	if err != nil || result.End == nil || result.Start == nil || result.Tokens == 0 || result.TokensPerSecond == 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	if readFile(t, o.Directory, "model", models.WeightsFile) != before {
		t.Error("the model changed")
	}
}

// Lines of later steps, and half a line, are cut off; what lies before stays as it is, byte for byte.
func TestMetricsAreCutBack(t *testing.T) {
	o := finished(t)
	whole := readFile(t, o.Directory, MetricsFile)
	lines := strings.SplitAfter(whole, "\n")
	for name, text := range map[string]string{
		"later lines": whole,
		"half a line": strings.Join(lines[:8], "") + lines[8][:20],
		"garbage":     strings.Join(lines[:8], "") + "\x00\x00\x00\n",
	} {
		path := filepath.Join(o.Directory, MetricsFile)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		log, err := openMetrics(o.Directory, 7)
		if err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, path); got != strings.Join(lines[:8], "") || len(log.lines) != 8 {
			t.Errorf("%s: %d lines, %q", name, len(log.lines), got)
		}
		if err := errors.Join(log.add(Metrics{Step: 8}), log.close()); err != nil {
			t.Fatal(err)
		}
		if read, err := ReadMetrics(o.Directory); err != nil || len(read) != 9 || read[8].Step != 8 {
			t.Errorf("%s: after another line %d lines, %v", name, len(read), err)
		}
	}
}

func TestFindCheckpointWithoutARun(t *testing.T) {
	for _, directory := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		if c, err := FindCheckpoint(directory); c != nil || err != nil {
			t.Errorf("%+v, %v, want neither", c, err)
		}
	}
}
