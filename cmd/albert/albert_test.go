package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is the binary under test.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "albert-test-")
	if err == nil {
		program = filepath.Join(dir, "albert")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "build albert:", err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

func albert(t *testing.T, stdin string, arguments ...string) result {
	t.Helper()
	return start(t, exec.Command(program, arguments...), stdin)
}

func start(t *testing.T, command *exec.Cmd, stdin string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	} else if ok {
		return result{exit.ExitCode(), stdout.String(), stderr.String()}
	}
	return result{0, stdout.String(), stderr.String()}
}

// must runs a command that has to succeed.
func must(t *testing.T, arguments ...string) string {
	t.Helper()
	r := albert(t, "", arguments...)
	if r.code != 0 {
		t.Fatalf("albert %s: exit code %d: %s", strings.Join(arguments, " "), r.code, r.stderr)
	}
	return r.stdout
}

// fails checks that a command ends with exit code 1 and one sentence, the last line, that says all of want.
func (r result) fails(t *testing.T, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	last := lines[len(lines)-1]
	if r.code != exitError || !strings.HasPrefix(last, "albert: ") {
		t.Errorf("got exit code %d and %q, want %d and one sentence", r.code, r.stderr, exitError)
	}
	for _, words := range want {
		if !strings.Contains(last, words) {
			t.Errorf("%q does not say %q", last, words)
		}
	}
	for _, trace := range []string{"goroutine ", "panic", "internal error"} {
		if strings.Contains(r.stderr, trace) {
			t.Errorf("a stack trace, or a panic:\n%s", r.stderr)
		}
	}
}

// text is made-up documents of sentences.
func text(documents int) string {
	random := rand.New(rand.NewPCG(3, 3))
	syllables := []string{"ka", "to", "ri", "men", "sal", "ver", "do", "pin", "lu", "est", "gra", "ing"}
	words := make([]string, 300)
	for i := range words {
		for range 1 + random.IntN(3) {
			words[i] += syllables[random.IntN(len(syllables))]
		}
	}
	var b strings.Builder
	for range documents {
		for range 3 + random.IntN(5) {
			for range 4 + random.IntN(8) {
				b.WriteString(words[random.IntN(1+random.IntN(len(words)))] + " ")
			}
			b.WriteString("end.\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

const tinyConfig = `{"architectures": ["AlbertForPreTraining"], "vocab_size": 150, "embedding_size": 16, "hidden_size": 32,
"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 32,
"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}`

// project is a directory with a corpus, a vocabulary, and a configuration.
type project struct{ dir, corpus, vocabulary, config string }

func newProject(t *testing.T) project {
	t.Helper()
	dir := t.TempDir()
	p := project{dir, filepath.Join(dir, "corpus.txt"), filepath.Join(dir, "vocabulary"), filepath.Join(dir, "config.json")}
	write(t, p.corpus, text(60))
	write(t, p.config, tinyConfig)
	must(t, "tokenizer", "train", p.corpus, "--vocab-size", "150", "--out", p.vocabulary)
	return p
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func (p project) path(name string) string { return filepath.Join(p.dir, name) }

// pretrain returns the arguments of a short training.
func (p project) pretrain(out string, more ...string) []string {
	return append([]string{"pretrain", p.corpus, "--tokenizer", p.vocabulary, "--config", p.config, "--sequence-length", "24",
		"--batch", "8", "--held-out", "0.1", "--seed", "4", "--out", p.path(out)}, more...)
}

// The way of the README, end to end, in miniature.
func TestFromTextToParity(t *testing.T) {
	p := newProject(t)
	var trained struct {
		Tokens int64 `json:"tokens"`
		Model  string
		Start  struct {
			Loss float64 `json:"masked_lm_loss"`
		}
		End struct {
			Loss float64 `json:"masked_lm_loss"`
		}
	}
	decode(t, must(t, p.pretrain("run", "--steps", "12", "--learning-rate", "1e-2", "--json")...), &trained)
	if trained.Tokens == 0 || !(trained.End.Loss < trained.Start.Loss) {
		t.Errorf("got %+v, want a loss that fell", trained)
	}
	for _, name := range []string{"metrics.jsonl", "curves.png", "model/config.json", "model/spiece.model"} {
		if _, err := os.Stat(p.path("run/" + name)); err != nil {
			t.Error(err)
		}
	}
	file := p.path("out/model.onnx")
	must(t, "export", trained.Model, "--out", file)
	if report := must(t, "parity", trained.Model, file, "--engine", "onnx-go", "--text", p.corpus); !strings.Contains(report, "parity: equal") {
		t.Errorf("the report says:\n%s", report)
	}
	var natively, exported struct {
		Loss     float64 `json:"masked_lm_loss"`
		Accuracy float64 `json:"sentence_accuracy"`
	}
	decode(t, must(t, "eval", trained.Model, "--corpus", p.corpus, "--run", p.path("run"), "--json"), &natively)
	decode(t, must(t, "eval", file, "--engine", "onnx-go", "--corpus", p.corpus, "--run", p.path("run"), "--json"), &exported)
	for _, loss := range []float64{natively.Loss, exported.Loss} {
		if difference := loss - trained.End.Loss; difference > 1e-4 || difference < -1e-4 {
			t.Errorf("eval says %v, the training %v", loss, trained.End.Loss)
		}
	}
	if natively.Accuracy != exported.Accuracy {
		t.Errorf("sentence accuracy is %v natively and %v in onnx-go", natively.Accuracy, exported.Accuracy)
	}
	answers := must(t, "fill-mask", file, "--engine", "onnx-go", "--top", "3", "kato [MASK] end.")
	if strings.Count(answers, "%") != 3 {
		t.Errorf("fill-mask answered %q, want three tokens", answers)
	}
	if out := must(t, "inspect", file); !strings.Contains(out, "prediction_logits") {
		t.Errorf("inspect says %q", out)
	}
	if out := must(t, "inspect", trained.Model); !strings.Contains(out, "parameters in") || !strings.Contains(out, "because there is a spiece.model") {
		t.Errorf("inspect says %q", out)
	}
}

func decode(t *testing.T, text string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), to); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func TestTokenizerEncodesAndDecodes(t *testing.T) {
	p := newProject(t)
	ids := albert(t, "Kato end.\n\nsal\n", "tokenizer", "encode", "--model", p.vocabulary)
	if ids.code != 0 || strings.Count(ids.stdout, "\n") != 3 {
		t.Fatalf("got %+v, want three lines of ids", ids)
	}
	if back := albert(t, ids.stdout, "tokenizer", "decode", "--model", p.vocabulary); back.stdout != "kato end.\n\nsal\n" {
		t.Errorf("decoded %q", back.stdout)
	}
	albert(t, "1 2\n3 x\n", "tokenizer", "decode", "--model", p.vocabulary).fails(t, "line 2", `"x" is not an id, want 0 to 149`)
}

// What is asked for wrongly is exit code 2, and a line about usage.
func TestUsage(t *testing.T) {
	for _, arguments := range [][]string{
		{"no-such-verb"}, {"pretrain"}, {"export", "a", "b"}, {"export", "a"}, {"doctor", "--nonsense"}, {"corpus"},
		{"pretrain", "x", "--out", "y", "--steps", "many"}, {"parity", t.TempDir(), "--engine", "tpu"},
		{"pretrain", "x", "--out", "y"}, {"fill-mask", "x", "--top", "0"},
	} {
		r := albert(t, "", arguments...)
		if r.code != exitUsage || !strings.Contains(r.stderr, "usage: albert") {
			t.Errorf("albert %s: exit code %d, %q; want %d and the usage", strings.Join(arguments, " "), r.code, r.stderr, exitUsage)
		}
	}
}

func TestDoctor(t *testing.T) {
	var facts struct {
		KernelSet   string `json:"kernel_set"`
		ONNXRuntime struct {
			PinnedVersion string `json:"pinned_version"`
		} `json:"onnx_runtime"`
	}
	decode(t, must(t, "doctor", "--json"), &facts)
	if facts.KernelSet == "" || facts.ONNXRuntime.PinnedVersion == "" {
		t.Errorf("got %+v", facts)
	}
}
