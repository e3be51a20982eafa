// Command demo trains an ALBERT from nothing and proves what it exported, by the commands that a user would type.
//
//	go run ./tools/demo [-minutes M | -tokens N] [-dir DIRECTORY]
//
// It prints each command before it runs it. Whatever they print as JSON goes to files in the directory, and the summary
// at the end is read from these. Without ONNX Runtime it says so and goes on with the pure-Go engine.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// masks are what the trained model is asked, of the kind of text that it has read.
var masks = []string{
	"Package http provides [MASK] client and server implementations.",
	"The function returns an [MASK] if the file does not exist.",
	"It panics if the [MASK] is nil.",
	"If n is zero, the [MASK] value is returned.",
	"A Reader reads bytes from the [MASK].",
}

func main() {
	minutes := flag.Float64("minutes", 3, "length of the training")
	tokens := flag.Int64("tokens", 0, "length of the training in tokens, instead of minutes")
	dir := flag.String("dir", "demo", "directory for everything that is made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d := &demo{ctx: ctx, dir: *dir, began: time.Now()}
	length := []string{"--minutes", fmt.Sprint(*minutes)}
	if *tokens > 0 {
		length = []string{"--tokens", fmt.Sprint(*tokens)}
	}
	if err := d.run(length); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is one run of it.
type demo struct {
	ctx    context.Context
	dir    string
	began  time.Time
	engine string // that runs the exported file
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) run(length []string) error {
	if err := d.clean(); err != nil {
		return err
	}
	d.findEngine()
	text, vocabulary, run := d.path("corpus.txt"), d.path("vocabulary"), d.path("run")
	checkpoint, file := filepath.Join(run, "model"), filepath.Join(d.dir, "model", "model.onnx")
	training := append([]string{"pretrain", text, "--tokenizer", vocabulary, "--preset", "albert-tiny", "--sequence-length", "64",
		"--batch", "64", "--learning-rate", "3e-3", "--out", run}, length...)
	engines := []string{"--engine", d.engine + ",onnx-go"}
	if d.engine == "onnx-go" {
		engines = []string{"--engine", "onnx-go"}
	}
	for _, step := range []struct {
		result    string // file for the JSON; without one the output is shown
		arguments []string
	}{
		{"", []string{"corpus", "godoc", "--out", text}},
		{"", []string{"tokenizer", "train", text, "--vocab-size", "8000", "--out", vocabulary}},
		{"pretrain.json", training},
		{"export.json", []string{"export", checkpoint, "--out", file}},
		{"", append([]string{"parity", checkpoint, file, "--text", text, "--report", d.path("parity.json")}, engines...)},
		{"eval.json", []string{"eval", file, "--corpus", text, "--run", run, "--engine", d.engine}},
		{"", append([]string{"fill-mask", file, "--engine", d.engine}, masks...)},
	} {
		if err := d.albert(step.result, step.arguments...); err != nil {
			return err
		}
	}
	return d.summary(file, vocabulary)
}

// clean removes what an earlier run made, and nothing else.
func (d *demo) clean() error {
	for _, name := range []string{"corpus.txt", "vocabulary", "run", "model", "pretrain.json", "export.json", "parity.json", "eval.json"} {
		if err := os.RemoveAll(d.path(name)); err != nil {
			return err
		}
	}
	return os.MkdirAll(d.dir, 0o777)
}

// findEngine uses the ONNX Runtime that is there, or installs one.
func (d *demo) findEngine() {
	var facts struct {
		ONNXRuntime struct {
			Library *struct{} `json:"library"`
		} `json:"onnx_runtime"`
	}
	out, err := exec.CommandContext(d.ctx, program, "doctor", "--json").Output()
	if err == nil && json.Unmarshal(out, &facts) == nil && facts.ONNXRuntime.Library != nil {
		d.engine = "onnxruntime"
		return
	}
	if d.albert("", "runtime", "install") == nil {
		d.engine = "onnxruntime"
		return
	}
	fmt.Println("no ONNX Runtime can be had: going on with the pure-Go engine")
	d.engine = "onnx-go"
}

const program = "bin/albert"

// albert runs a command as a user would type it. Where result names a file, the command's JSON goes there.
func (d *demo) albert(result string, arguments ...string) error {
	shown := make([]string, len(arguments))
	for i, a := range arguments {
		if shown[i] = a; strings.Contains(a, " ") {
			shown[i] = "'" + a + "'"
		}
	}
	line := "\n$ albert " + strings.Join(shown, " ")
	if result != "" {
		arguments = append(arguments, "--json")
		line += " --json > " + d.path(result)
	}
	fmt.Println(line)
	command := exec.CommandContext(d.ctx, program, arguments...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it ends in good order
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	var out bytes.Buffer
	if result != "" {
		command.Stdout = &out
	}
	if err := command.Run(); err != nil {
		return fmt.Errorf("albert %s: %w", arguments[0], err)
	}
	if result == "" {
		return nil
	}
	return os.WriteFile(d.path(result), out.Bytes(), 0o666)
}

// scores are held-out losses and accuracies.
type scores struct {
	MaskedLMLoss     float64 `json:"masked_lm_loss"`
	MaskedLMAccuracy float64 `json:"masked_lm_accuracy"`
	SentenceAccuracy float64 `json:"sentence_accuracy"`
}

func (d *demo) summary(file, vocabulary string) error {
	var pretrain struct {
		Tokens           int64   `json:"tokens"`
		TokensPerSecond  float64 `json:"tokens_per_second"`
		UnigramLoss      float64 `json:"unigram_loss"`
		MajoritySentence float64 `json:"majority_sentence"`
		Start            scores  `json:"start"`
		End              scores  `json:"end"`
		Model            string  `json:"model"`
		Curves           string  `json:"curves"`
	}
	var eval struct {
		scores
		Engine string `json:"engine"`
	}
	for name, result := range map[string]any{"pretrain.json": &pretrain, "eval.json": &eval} {
		text, err := os.ReadFile(d.path(name))
		if err == nil {
			err = json.Unmarshal(text, result)
		}
		if err != nil {
			return err
		}
	}
	fmt.Printf("\n-- summary, after %s --\n", time.Since(d.began).Round(time.Second))
	fmt.Printf("training        %d tokens, %.0f tokens/s\n", pretrain.Tokens, pretrain.TokensPerSecond)
	fmt.Printf("masked-LM loss  %.3f at the start, %.3f at the end, held out; the unigram model of the text has %.3f: %+.3f nats\n",
		pretrain.Start.MaskedLMLoss, pretrain.End.MaskedLMLoss, pretrain.UnigramLoss, pretrain.End.MaskedLMLoss-pretrain.UnigramLoss)
	fmt.Printf("                %.3f in %s\n", eval.MaskedLMLoss, eval.Engine)
	fmt.Printf("sentence order  %.1f %% held out; always the commoner answer: %.1f %%\n", 100*pretrain.End.SentenceAccuracy, 100*pretrain.MajoritySentence)
	fmt.Printf("sizes           %s, %s, %s\n", size(filepath.Join(pretrain.Model, "model.safetensors")), size(file), size(filepath.Join(vocabulary, "spiece.model")))
	fmt.Printf("curves          %s\n", pretrain.Curves)
	fmt.Println("parity")
	return d.parity(os.Stdout)
}

// parity prints the largest share of the tolerance of each output in each engine.
func (d *demo) parity(w io.Writer) error {
	var report struct {
		Batches  []string `json:"batches"`
		Findings []struct {
			Subject, Tensor string
			Elements        int
			MaxAbs          float64 `json:"max_abs"`
			Share           float64
			OK              bool
		} `json:"findings"`
	}
	text, err := os.ReadFile(d.path("parity.json"))
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil {
		return err
	}
	equal := 0
	for _, f := range report.Findings {
		if f.OK && f.Share == 0 && f.MaxAbs == 0 {
			equal++
			continue
		}
		fmt.Fprintf(w, "  %-26s %-18s %9d values, largest difference %.2g, %.2g %% of the tolerance\n", f.Subject, f.Tensor, f.Elements, f.MaxAbs, 100*f.Share)
	}
	fmt.Fprintf(w, "  %d tensors of the file and its graph are equal to the bit; %d batches\n", equal, len(report.Batches))
	return nil
}

// size writes a file's name and size.
func size(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return path + " is missing"
	}
	return fmt.Sprintf("%s %.2f MB", path, float64(info.Size())/1e6)
}
