package models

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The names are those of transformers' state_dict; parity/testdata/heads has them from there.
func TestHeadsOfArchitectures(t *testing.T) {
	for architecture, want := range map[Architecture][]string{
		BaseModel:                 {"pooler.weight [16 16]", "pooler.bias [16]"},
		ForSequenceClassification: {"albert.pooler.weight [16 16]", "albert.pooler.bias [16]", "classifier.weight [3 16]", "classifier.bias [3]"},
		ForTokenClassification:    {"classifier.weight [3 16]", "classifier.bias [3]"},
		ForMultipleChoice:         {"albert.pooler.weight [16 16]", "albert.pooler.bias [16]", "classifier.weight [1 16]", "classifier.bias [1]"},
	} {
		c := tinyConfig()
		c.Architecture, c.Labels = architecture, NewLabels("a", "b", "c")
		if got := headParameters(c); !slices.Equal(got, want) {
			t.Errorf("%s has %v besides the encoder, want %v", architecture, got, want)
		}
	}
	c := tinyConfig()
	c.Architecture = ForQuestionAnswering
	if got, want := headParameters(c), []string{"qa_outputs.weight [2 16]", "qa_outputs.bias [2]"}; !slices.Equal(got, want) {
		t.Errorf("%s has %v besides the encoder, want %v", c.Architecture, got, want)
	}
}

// headParameters lists what is neither of the embeddings nor of the encoder, weights before biases of the same name.
func headParameters(c Config) []string {
	var list []string
	for _, p := range NewParameters(c).Order {
		if name := strings.TrimPrefix(p.Name, "albert."); !strings.HasPrefix(name, "embeddings.") && !strings.HasPrefix(name, "encoder.") {
			list = append(list, fmt.Sprint(p.Name, " ", p.Shape))
		}
	}
	slices.SortStableFunc(list, func(a, b string) int {
		return strings.Compare(a[:strings.LastIndex(a, ".")], b[:strings.LastIndex(b, ".")])
	})
	return list
}

func TestTasks(t *testing.T) {
	for _, a := range Architectures() {
		if got, err := ParseTask(string(a.Task())); err != nil || got != a || len(a.Outputs()) == 0 {
			t.Errorf("task %s is of %s, error %v, outputs %v; want %s", a.Task(), got, err, a.Outputs(), a)
		}
	}
	if _, err := ParseTask("summarization"); err == nil || !strings.Contains(err.Error(), `task is "summarization", want one of pre-training,`) {
		t.Errorf("got error %v", err)
	}
}

func TestWeightsAsAnotherArchitecture(t *testing.T) {
	w := tinyWeights()
	for _, a := range []Architecture{ForMaskedLM, BaseModel, ForPreTraining} {
		other, err := w.As(a)
		if err != nil {
			t.Fatal(err)
		}
		if other.Config.Architecture != a {
			t.Errorf("got an %s, want an %s", other.Config.Architecture, a)
		}
		for _, pair := range [][2]*Parameter{
			{other.Parameters.Embeddings.Word, w.Parameters.Embeddings.Word},
			{other.Parameters.LayerGroups[0][0].FFN.Weight, w.Parameters.LayerGroups[0][0].FFN.Weight},
		} {
			if !slices.Equal(other.Tensor(pair[0]), w.Tensor(pair[1])) {
				t.Errorf("%s of the %s is not %s of the %s", pair[0].Name, a, pair[1].Name, w.Config.Architecture)
			}
		}
	}
	for a, want := range map[Architecture]string{
		ForSequenceClassification: "an AlbertForPreTraining has no trained classifier.weight",
		ForQuestionAnswering:      "no trained qa_outputs.weight",
		"BertModel":               `architecture is "BertModel"`,
	} {
		if _, err := w.As(a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	// A classifier of tokens has the shape of one of sequences, and is none.
	c := tinyConfig()
	c.Architecture = ForSequenceClassification
	if _, err := NewWeights(c).As(ForTokenClassification); err == nil {
		t.Error("a classifier of sequences was taken for one of tokens")
	}
}
