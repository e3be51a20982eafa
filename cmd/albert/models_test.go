package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"goalbert/models"
)

// masked writes an AlbertForMaskedLM that has a pooler beside it, as albert-base-v2 on the hub is, with the vocabulary.
func (p project) masked(t *testing.T, dir string) {
	t.Helper()
	checkpoint(t, dir, func(all []models.NamedTensor) []models.NamedTensor {
		return slices.DeleteFunc(all, func(t models.NamedTensor) bool { return strings.HasPrefix(t.Name, "sop_classifier.") })
	})
	write(t, filepath.Join(dir, models.ConfigFile), strings.Replace(tinyConfig, "AlbertForPreTraining", "AlbertForMaskedLM", 1))
	p.copyVocabulary(t, dir)
}

func (p project) copyVocabulary(t *testing.T, dir string) {
	t.Helper()
	vocabulary, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "spiece.model"), string(vocabulary))
}

// Every verb takes a directory, a run and a name on the hub, and a checkpoint with tensors that its architecture has not,
// which it names in one sentence.
func TestEveryVerbFindsModels(t *testing.T) {
	p := newProject(t)
	const commit = "0123456789abcdef0123456789abcdef01234567"
	cache := p.path("hub/models--someone--albert-tiny")
	if err := os.MkdirAll(cache+"/refs", 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, cache+"/refs/main", commit)
	t.Setenv("HF_HUB_CACHE", p.path("hub"))
	t.Setenv("HF_HUB_OFFLINE", "1")
	snapshot := cache + "/snapshots/" + commit
	run := p.path("run[1]")
	for _, dir := range []string{snapshot, run + "/checkpoints/step-00000002"} {
		p.masked(t, dir)
	}
	file := p.path("out/model.onnx")
	const surplus = "albert.pooler.bias and albert.pooler.weight are not used"
	for _, verb := range []struct {
		arguments []string // the model is where MODEL stands
		want      string   // on standard output
		told      bool     // whether the pooler is not used
	}{
		{[]string{"export", "MODEL", "--out", file}, "fill-mask", true},
		{[]string{"export", "MODEL", "--out", p.path("features/model.onnx"), "--task", "feature-extraction"}, "feature-extraction", false},
		{[]string{"parity", "MODEL", file, p.path("features/model.onnx"), "--engine", "onnx-go"}, "parity: equal", true},
		{[]string{"inspect", "MODEL"}, "AlbertForMaskedLM", true},
		{[]string{"fill-mask", "MODEL", "kato [MASK]"}, "%", true},
		{[]string{"eval", "MODEL", "--corpus", p.corpus, "--objective", "none", "--sequences", "4"}, "masked", true},
		{[]string{"embed", "MODEL", "kato"}, `"embedding":[`, false},
		{[]string{"similar", "MODEL", p.corpus, "--query", "kato", "--top", "1"}, "kato", false},
		{[]string{"bench", "MODEL", "--runs", "1", "--loads", "1", "--warm-up-runs", "0", "--batch", "1", "--length", "8", "--threads", "1"}, "native", true},
	} {
		for name, dir := range map[string]string{run: run + "/checkpoints/step-00000002", "someone/albert-tiny": snapshot, snapshot: snapshot} {
			arguments := slices.Clone(verb.arguments)
			arguments[slices.Index(arguments, "MODEL")] = name
			r := albert(t, "", arguments...)
			if r.code != 0 || !strings.Contains(r.stdout, verb.want) {
				t.Errorf("%v: exit code %d, %q; want %q in %q", arguments, r.code, r.stderr, verb.want, r.stdout)
			}
			if told := strings.Count(r.stderr, surplus) == 1 && strings.Contains(r.stderr, dir); told != verb.told || !told && strings.Contains(r.stderr, "not used") {
				t.Errorf("%v: it said %q, want %v that %q", arguments, r.stderr, verb.told, surplus)
			}
		}
	}
	albert(t, "", "embed", file, "--engine", "onnx-go", "kato").fails(t, "is an AlbertForMaskedLM, whose outputs are no embeddings")
	write(t, snapshot+"/config.json", strings.Replace(tinyConfig, "{", `{"rope_theta": 1, `, 1))
	albert(t, "", "inspect", "someone/albert-tiny").fails(t, "unknown key rope_theta", "of the hub's cache", "copy the directory")
	albert(t, "", "inspect", p.path("nowhere")).fails(t, "nowhere", "no such directory")
	albert(t, "", "bench", p.path("nowhere.onnx")).fails(t, "nowhere.onnx: no such file")
}

// The directory of several seeds is no model; the error has those that are.
func TestSeedsAreNamed(t *testing.T) {
	p := newProject(t)
	for _, seed := range []string{"seed-1", "seed-2"} {
		p.masked(t, p.path("run/"+seed+"/model"))
	}
	for _, arguments := range [][]string{
		{"export", p.path("run"), "--out", p.path("model.onnx")}, {"predict", p.path("run"), "kato"}, {"inspect", p.path("run")},
	} {
		albert(t, "", arguments...).fails(t, "runs of several seeds; give one of "+p.path("run/seed-1")+", "+p.path("run/seed-2"))
	}
}

// A fine-tuning of a checkpoint with Google's names, whose gelu is the tanh form, goes on after an interruption and ends with
// the weights of one that was left alone; what is exported from such a checkpoint says which form it is.
func TestFinetuningOfGoogleIsResumed(t *testing.T) {
	p := newProject(t)
	vocabulary := p.path("small")
	must(t, "tokenizer", "train", p.corpus, "--vocab-size", "53", "--out", vocabulary)
	p.vocabulary = vocabulary
	google := p.path("google")
	if err := os.CopyFS(google, os.DirFS("../../models/testdata/google")); err != nil {
		t.Fatal(err)
	}
	p.copyVocabulary(t, google)
	train, _ := p.examplesOf(t, "classification")
	arguments := func(out string) []string {
		return []string{"finetune", "--task", "classification", "--model", google, "--train", train, "--batch", "4",
			"--steps", "1500", "--evaluate-every", "1500", "--checkpoint-every", "1500", "--learning-rate", "1e-3", "--out", p.path(out)}
	}
	must(t, arguments("whole")...)
	command := exec.Command(program, arguments("run[1]")...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		metrics, _ := os.ReadFile(p.path("run[1]/metrics.jsonl"))
		if bytes.Count(metrics, []byte("\n")) > 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no step within a minute")
		}
	}
	command.Process.Signal(os.Interrupt)
	command.Wait()
	if code := command.ProcessState.ExitCode(); code != exitInterrupted {
		t.Fatalf("exit code %d, %q; want an interruption", code, stderr.String())
	}
	albert(t, "", arguments("run[1]")...).fails(t, "holds a run already")
	must(t, "finetune", "--out", p.path("run[1]"), "--resume")
	if !bytes.Equal(weightsOf(t, p.path("run[1]")), weightsOf(t, p.path("whole"))) {
		t.Error("interrupted and resumed, the weights are others")
	}

	r := albert(t, "", "export", google, "--out", p.path("out/model.onnx"))
	if r.code != 0 || !strings.Contains(r.stderr, "Google's TensorFlow code") {
		t.Fatalf("export: %+v", r)
	}
	must(t, "parity", google, p.path("out/model.onnx"), "--engine", "onnx-go")
	if c, err := models.ReadConfig(p.path("out")); err != nil || c.HiddenAct != models.GELUNew {
		t.Errorf("beside the file the activation is %s, error %v; want %s", c.HiddenAct, err, models.GELUNew)
	}
}
