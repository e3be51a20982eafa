package parity_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime/native"
)

// transformers divides a model among shards as testdata/heads/single_label/shards has it.
func TestGoldenShards(t *testing.T) {
	g := openHead(t, "single_label")
	dir := filepath.Join(g.dir, "shards")
	if files, _ := filepath.Glob(filepath.Join(dir, "model-*.safetensors")); len(files) < 2 {
		t.Fatalf("%s has the shards %v, want several", dir, files)
	}
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if w.Config != g.weights.Config {
		t.Errorf("the configuration is %+v, want %+v", w.Config, g.weights.Config)
	}
	if !slices.Equal(w.Data, g.weights.Data) {
		t.Error("the weights are not those of the checkpoint in one file")
	}
}

// What is new and what is dropped when each checkpoint is read as each architecture is what transformers says of it. There
// are two differences: the tied bias of the decoder is no parameter here, and a classifier of another architecture is not
// taken along where its shape happens to fit.
func TestReadAsNamesWhatTransformersNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "heads", "loading.json"))
	if err != nil {
		t.Fatal(err)
	}
	type report struct {
		Missing    []string `json:"missing_keys"`
		Unexpected []string `json:"unexpected_keys"`
	}
	var reports map[string]map[models.Architecture]report
	if err := json.Unmarshal(text, &reports); err != nil {
		t.Fatal(err)
	}
	if len(reports) != len(goldenHeads) {
		t.Errorf("there are reports of %d checkpoints, want %d", len(reports), len(goldenHeads))
	}
	for name, as := range reports {
		if len(as) != len(models.Architectures()) {
			t.Errorf("%s: there are reports of %d architectures, want %d", name, len(as), len(models.Architectures()))
		}
		for architecture, want := range as {
			dir := filepath.Join("testdata", "heads", name)
			c, err := models.ReadConfig(dir)
			if err != nil {
				t.Fatal(err)
			}
			sameClassifier := c.Architecture == architecture
			if c.Architecture = architecture; architecture == models.ForQuestionAnswering {
				c.Labels = models.Labels{}
			}
			_, got, err := models.ReadAs(dir, c, 0)
			if err != nil {
				t.Fatal(err)
			}
			leave := func(names []string) []string {
				return slices.DeleteFunc(slices.Clone(names), func(key string) bool {
					return key == "predictions.decoder.bias" || !sameClassifier && strings.HasPrefix(key, "classifier.")
				})
			}
			if !slices.Equal(leave(got.New), leave(want.Missing)) || !slices.Equal(leave(got.Dropped), leave(want.Unexpected)) {
				t.Errorf("%s as an %s: new are %v and dropped %v, transformers says %v and %v",
					name, architecture, got.New, got.Dropped, want.Missing, want.Unexpected)
			}
		}
	}
}

// The way of every head from transformers to here and back, between the two parts of tools/golden/checkpoints.py: reads
// what save_pretrained wrote, in one file, in shards, in half precision, and writes it anew with the native outputs.
func TestExchangeWithTransformers(t *testing.T) {
	directory := os.Getenv("CHECKPOINTS")
	if directory == "" {
		t.Skip("needs CHECKPOINTS, a directory that tools/golden/checkpoints.py has written")
	}
	eachHead(t, func(t *testing.T, g *goldenHead, outputs []string) {
		name := filepath.Base(g.dir)
		theirs := filepath.Join(directory, "theirs", name)
		for suffix, widened := range map[string]string{"": "", "-shards": "", "-half": "-half-widened", "-bfloat": "-bfloat-widened"} {
			want, err := models.ReadCheckpoint(theirs + widened)
			if err != nil {
				t.Fatal(err)
			}
			got, loaded, err := models.ReadAs(theirs+suffix, g.weights.Config, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(loaded.New)+len(loaded.Dropped) > 0 || (widened != "") != (len(loaded.Widened) > 0) {
				t.Errorf("%s: %+v", name+suffix, loaded)
			}
			if !slices.Equal(got.Data, want.Data) || widened == "" && !slices.Equal(got.Data, g.weights.Data) {
				t.Errorf("%s: the weights are not those that transformers has", name+suffix)
			}
		}
		g.writeOurs(t, filepath.Join(directory, "ours", name), outputs, g.weights.WriteFiles)
		g.writeOurs(t, filepath.Join(directory, "ours", name+"-shards"), outputs, func(dir string) error {
			return g.weights.WriteShards(dir, 20_000)
		})
	})
}

// writeOurs writes a checkpoint, and beside its weights the golden inputs with the outputs of what was written.
func (g *goldenHead) writeOurs(t *testing.T, dir string, outputs []string, write func(string) error) {
	if err := models.WriteDirectory(dir, write); err != nil {
		t.Fatal(err)
	}
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	session := native.New(w, 2)
	g.check(t, session, outputs, false, numeric.GoldenFloat32)
	got, err := session.Run(context.Background(), g.inputs)
	if err != nil {
		t.Fatal(err)
	}
	var tensors []models.NamedTensor
	for name, input := range g.inputs {
		ids := input.Data.([]int64)
		floats := make([]float32, len(ids))
		for i, id := range ids {
			floats[i] = float32(id)
		}
		tensors = append(tensors, models.NamedTensor{Name: name, Shape: input.Shape, Data: floats})
	}
	for name, output := range got {
		if name != models.SentenceEmbedding { // transformers has none
			tensors = append(tensors, models.NamedTensor{Name: name, Shape: output.Shape, Data: output.Data.([]float32)})
		}
	}
	if err := models.WriteFile(filepath.Join(dir, "outputs.safetensors"), func(out io.Writer) error {
		return models.WriteSafetensors(out, tensors)
	}); err != nil {
		t.Fatal(err)
	}
}
