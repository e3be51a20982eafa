package main

import (
	"strings"
	"testing"

	"goalbert/models"
)

// heldOutLosses is what a training says of its held-out losses.
type heldOutLosses struct {
	Model string
	Start struct {
		Loss float64 `json:"masked_lm_loss"`
	}
	End struct {
		Loss float64 `json:"masked_lm_loss"`
	}
}

// A training that goes on from another one's model begins where that one ended.
func TestPretrainGoesOn(t *testing.T) {
	p := newProject(t)
	var first, second heldOutLosses
	decode(t, must(t, p.pretrain("first", "--steps", "12", "--learning-rate", "1e-2", "--json")...), &first)
	again := []string{"pretrain", p.corpus, "--sequence-length", "24", "--batch", "8", "--held-out", "0.1", "--seed", "4", "--steps", "6"}
	decode(t, must(t, append(again, "--model", p.path("first"), "--out", p.path("second"), "--json")...), &second)
	if !(first.End.Loss < first.Start.Loss) || second.Start.Loss != first.End.Loss || second.End.Loss == second.Start.Loss {
		t.Errorf("got %+v and then %+v, want the second to begin with the loss that the first ended with, and to train", first, second)
	}
	r := albert(t, "", append(again, "--model", p.path("first"), "--tokenizer", p.vocabulary, "--out", p.path("third"))...)
	if r.code != exitUsage || !strings.Contains(r.stderr, "tokenizer") {
		t.Errorf("a model and a vocabulary: got exit code %d and %q, want %d", r.code, r.stderr, exitUsage)
	}
	r = albert(t, "", append(again, "--model", p.path("first"), "--out", p.path("second"), "--resume")...)
	if r.code != exitUsage || !strings.Contains(r.stderr, "--model is for a new run") {
		t.Errorf("a model and a run to resume: got exit code %d and %q, want %d", r.code, r.stderr, exitUsage)
	}
	r = albert(t, "", append(again, "--model", "", "--out", p.path("third"))...)
	if r.code != exitUsage || !strings.Contains(r.stderr, "--model is empty") {
		t.Errorf("an empty model: got exit code %d and %q, want %d", r.code, r.stderr, exitUsage)
	}
	r = albert(t, "", p.pretrain("third", "--steps", "2", "--dropout", "1")...)
	if r.code != exitUsage || !strings.Contains(r.stderr, "dropout is 1, want below 1") {
		t.Errorf("a dropout of all: got exit code %d and %q, want %d", r.code, r.stderr, exitUsage)
	}
	albert(t, "", append(again, "--model", p.path("nowhere"), "--out", p.path("third"))...).fails(t, "nowhere")
}

// A classifier's encoder goes on as a pre-training's, whose heads are new and named.
func TestPretrainFromClassifier(t *testing.T) {
	p := newProject(t)
	dir := p.taskModel(t, models.ForSequenceClassification, models.MultiLabel, "bad", "good")
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Config.TaskParams = models.TaskParams{Task: "classification", MaxLength: 9}
	if err := models.WriteDirectory(p.path("tuned"), w.WriteFiles); err != nil {
		t.Fatal(err)
	}
	p.copyVocabulary(t, p.path("tuned"))
	dir = p.path("tuned")
	r := albert(t, "", "pretrain", p.corpus, "--model", dir, "--sequence-length", "24", "--batch", "8", "--steps", "2", "--out", p.path("run"), "--json")
	if r.code != 0 || !strings.Contains(r.stderr, "predictions.") || !strings.Contains(r.stderr, "classifier.weight and classifier.bias are not used") &&
		!strings.Contains(r.stderr, "classifier.bias and classifier.weight are not used") {
		t.Fatalf("got exit code %d and %q, want the new and the dropped tensors named", r.code, r.stderr)
	}
	var trained heldOutLosses
	decode(t, r.stdout, &trained)
	c, err := models.ReadConfig(trained.Model)
	if err != nil || c.Architecture != models.ForPreTraining || c.Labels != (models.Labels{}) || c.ProblemType != "" || c.TaskParams != (models.TaskParams{}) {
		t.Errorf("got %+v, error %v; want an %s without labels and task", c, err, models.ForPreTraining)
	}
}
