package main

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
)

func TestBadCorpus(t *testing.T) {
	p := newProject(t)
	empty, binaryFile := p.path("empty.txt"), p.path("binary.txt")
	write(t, empty, "\n \n")
	write(t, binaryFile, "a good line\nanother\n\xff\xfe bad\n")
	for _, verb := range [][]string{
		{"tokenizer", "train", "", "--vocab-size", "150", "--out", p.path("other")},
		{"pretrain", "", "--tokenizer", p.vocabulary, "--config", p.config, "--sequence-length", "24", "--steps", "2", "--out", p.path("other")},
	} {
		run := func(corpus string) result {
			arguments := append([]string{}, verb...)
			for i := range arguments {
				if arguments[i] == "" {
					arguments[i] = corpus
				}
			}
			return albert(t, "", arguments...)
		}
		run(p.path("missing.txt")).fails(t, "missing.txt", "no such file")
		run(empty).fails(t, "one sentence")
		run(binaryFile).fails(t, "binary.txt", "line 3", "UTF-8")
	}
	if _, err := os.Stat(p.path("other")); err == nil {
		t.Error("something was left behind")
	}
	albert(t, "", "tokenizer", "train", p.corpus, "--vocab-size", "100000", "--out", p.path("other")).fails(t,
		"a vocabulary of 100000 is larger than this text supports", "ask for at most")
}

func TestBadConfiguration(t *testing.T) {
	p := newProject(t)
	for change, want := range map[string]string{
		`"hidden_size": 33`:                       "hidden_size 33 is not a multiple of num_attention_heads 2",
		`"hidden_act": "swish"`:                   `hidden_act is "swish"`,
		`"max_position_embeddings": 16`:           "sequence length is 24, the model has 16 positions",
		`"vocab_size": 100`:                       "the tokenizer has 150 pieces, the model has room for 100",
		`"vocab_size": 151`:                       "the tokenizer has 150 pieces, the model 151 (vocab_size), want as many",
		`"position_embedding_type": "relative"`:   "position_embedding_type",
		`"no_such_key": 1`:                        "unknown key no_such_key",
		`"num_hidden_layers": "two"`:              "want a whole number",
		`"architectures": ["BertForPreTraining"]`: "BertForPreTraining",
	} {
		// The last value of a key counts.
		write(t, p.config, strings.TrimSuffix(tinyConfig, "}")+", "+change+"}")
		albert(t, "", p.pretrain("run", "--steps", "2")...).fails(t, want)
	}
	write(t, p.config, tinyConfig[:50])
	albert(t, "", p.pretrain("run", "--steps", "2")...).fails(t, p.config, "not a JSON object")
}

// checkpoint writes the weights of the tiny configuration, changed.
func checkpoint(t *testing.T, dir string, change func([]models.NamedTensor) []models.NamedTensor) {
	t.Helper()
	config, err := models.ParseConfig([]byte(tinyConfig))
	if err != nil {
		t.Fatal(err)
	}
	w := models.NewWeights(config)
	w.Initialize(1)
	if err := models.WriteDirectory(dir, w.WriteFiles); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		var out bytes.Buffer
		if err := models.WriteSafetensors(&out, change(w.Tensors())); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, models.WeightsFile), out.String())
	}
}

func TestBadCheckpoint(t *testing.T) {
	for want, change := range map[string]func([]models.NamedTensor) []models.NamedTensor{
		"is missing, want shape": func(all []models.NamedTensor) []models.NamedTensor { return all[1:] },
		"is of an encoder that is not the one of config.json": func(all []models.NamedTensor) []models.NamedTensor {
			return append(all, models.NamedTensor{Name: "albert.encoder.albert_layer_groups.1.albert_layers.0.ffn.bias", Shape: []int{1}, Data: []float32{1}})
		},
		"has shape [2400], want [150 16]": func(all []models.NamedTensor) []models.NamedTensor { all[0].Shape = []int{2400}; return all },
	} {
		dir := filepath.Join(t.TempDir(), "checkpoint")
		checkpoint(t, dir, change)
		albert(t, "", "export", dir, "--out", filepath.Join(dir, "model.onnx")).fails(t, dir, want)
	}
	dir := filepath.Join(t.TempDir(), "checkpoint")
	checkpoint(t, dir, nil)
	if err := os.Truncate(filepath.Join(dir, models.WeightsFile), 5000); err != nil {
		t.Fatal(err)
	}
	albert(t, "", "export", dir, "--out", filepath.Join(dir, "model.onnx")).fails(t, models.WeightsFile, "truncated")
	albert(t, "", "export", filepath.Join(dir, "nowhere"), "--out", "x.onnx").fails(t, "nowhere", "no such directory")
}

// A truncated .onnx is one sentence in every engine, and in parity and inspect.
func TestTruncatedONNX(t *testing.T) {
	p := newProject(t)
	dir, file := p.path("checkpoint"), p.path("out/model.onnx")
	checkpoint(t, dir, nil)
	must(t, "export", dir, "--out", file)
	vocabulary, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.path("out/spiece.model"), string(vocabulary))
	if err := os.Truncate(file, 20000); err != nil {
		t.Fatal(err)
	}
	albert(t, "", "fill-mask", file, "--engine", "onnx-go", "a [MASK]").fails(t, file, "truncated")
	albert(t, "", "parity", dir, file).fails(t, file, "truncated")
	albert(t, "", "inspect", file).fails(t, file, "truncated")
	if r := albert(t, "", "doctor", "--json"); !strings.Contains(r.stdout, `"library": null`) {
		albert(t, "", "fill-mask", file, "a [MASK]").fails(t, file, "truncated")
	}
}

// parity exits 1 when one scalar of a file is off.
func TestParityExitCode(t *testing.T) {
	p := newProject(t)
	dir, file := p.path("checkpoint"), p.path("model.onnx")
	checkpoint(t, dir, nil)
	must(t, "export", dir, "--out", file)
	must(t, "parity", dir, file, "--engine", "onnx-go")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	value := w.Tensor(w.Parameters.Predictions.Dense.Weight)[7]
	bits := binary.LittleEndian.AppendUint32(nil, math.Float32bits(value))
	at := bytes.Index(content, bits)
	if at < 0 {
		t.Fatal("the weight is not in the file")
	}
	binary.LittleEndian.PutUint32(content[at:], math.Float32bits(value+1e-2))
	write(t, file, string(content))
	r := albert(t, "", "parity", dir, file, "--engine", "onnx-go")
	r.fails(t, "do not compute what the checkpoint does")
	if !strings.Contains(r.stdout, "MISMATCH") || !strings.Contains(r.stdout, "predictions.dense.weight") {
		t.Errorf("the report does not name the tensor:\n%s", r.stdout)
	}
}

func TestTooLongSequence(t *testing.T) {
	p := newProject(t)
	dir := p.path("checkpoint")
	checkpoint(t, dir, nil)
	vocabulary, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "spiece.model"), string(vocabulary))
	albert(t, "", "fill-mask", dir, strings.Repeat("kato ", 40)+"[MASK]").fails(t, "the model takes at most 32 (max_position_embeddings)", "shorten it")
	albert(t, "", "fill-mask", dir, "no mask here").fails(t, "no [MASK]")
}

// A loss that is no number ends the run with advice, and the checkpoint before it stays whole.
func TestDivergence(t *testing.T) {
	p := newProject(t)
	r := albert(t, "", p.pretrain("run", "--steps", "40", "--learning-rate", "1e30", "--warmup", "0", "--max-grad-norm", "0", "--checkpoint-every", "1")...)
	r.fails(t, "NaN", "try a learning rate below 1e+30", "is whole")
	must(t, "inspect", newest(t, p.path("run")))
}

// newest returns the newest checkpoint of a run.
func newest(t *testing.T, run string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(run, "checkpoints", "step-*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%s has no checkpoint: %v", run, err)
	}
	return all[len(all)-1]
}

// A library that is too old is refused by its version before anything of it is called.
func TestWrongLibraryVersion(t *testing.T) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("needs a C compiler")
	}
	p := newProject(t)
	dir, file := p.path("checkpoint"), p.path("model.onnx")
	checkpoint(t, dir, nil)
	must(t, "export", dir, "--out", file)
	source, library := p.path("old.c"), p.path("libonnxruntime.so")
	write(t, source, `
struct base { const void *(*api)(unsigned); const char *(*version)(void); };
static const void *api(unsigned v) { return 0; }
static const char *version(void) { return "1.17.3"; }
static const struct base b = { api, version };
const struct base *OrtGetApiBase(void) { return &b; }
`)
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	albert(t, "", "parity", dir, file, "--library", library).fails(t, library, `version "1.17.3" is too old, want 1.24`, "albert runtime install")
	albert(t, "", "parity", dir, file, "--library", p.corpus).fails(t, p.corpus, "not a shared library")
}

// A disk that becomes full while a checkpoint is written is one sentence; what was saved stays, and the run can go on
// where there is room.
func TestFullDisk(t *testing.T) {
	p := newProject(t)
	run := p.path("disk")
	if err := os.Mkdir(run, 0o777); err != nil {
		t.Fatal(err)
	}
	script := `mount -t tmpfs -o size=$1 tmpfs "$2" && shift 2 && "$@"; code=$?; cp -r ` + run + `/run ` + p.path("kept") + `; exit $code`
	onSmallDisk := func(size string) result {
		arguments := append([]string{"--map-root-user", "--mount", "sh", "-c", script, "sh", size, run, program},
			p.pretrain("disk/run", "--steps", "6", "--checkpoint-every", "1", "--keep-checkpoints", "100")...)
		return start(t, exec.Command("unshare", arguments...), "")
	}
	r := onSmallDisk("1m")
	if strings.Contains(r.stderr, "unshare") || strings.Contains(r.stderr, "mount") {
		t.Skipf("needs a mount namespace: %s", r.stderr)
	}
	r.fails(t, "no space left on device")
	must(t, "inspect", newest(t, p.path("kept")))
	err := filepath.WalkDir(p.path("kept"), func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), ".partial-") {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefusesToOverwrite(t *testing.T) {
	p := newProject(t)
	other := p.path("other.txt")
	write(t, other, text(20))
	must(t, p.pretrain("run", "--steps", "2")...)
	albert(t, "", p.pretrain("run", "--steps", "2")...).fails(t, "holds a run already", "--resume")
	albert(t, "", "tokenizer", "train", p.corpus, "--vocab-size", "150", "--out", p.vocabulary).fails(t, "exists already")
	albert(t, "", "eval", p.path("run/model"), "--corpus", other, "--run", p.path("run")).fails(t, "the corpus is not the one of")
	albert(t, "", "fill-mask", p.corpus, "a [MASK]").fails(t, "neither a checkpoint's directory nor an .onnx file")
	albert(t, "", "fill-mask", p.path("run/model"), "--engine", "onnxruntime", "a [MASK]").fails(t, "is a directory", "albert export")
}
