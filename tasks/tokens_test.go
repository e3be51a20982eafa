package tasks

import (
	"fmt"
	"strings"
	"testing"
)

// CoNLL's columns, and the same in JSON.
func TestReadTokens(t *testing.T) {
	const want = "[Ada of Oslo .] [B-PER O B-LOC O] [Oslo] [B-LOC]"
	for name, c := range map[string]struct {
		file, text string
		options    Options
	}{
		"CoNLL 2003":   {"a.txt", "-DOCSTART- -X- O O\n\nAda NNP I-NP B-PER\nof IN O O\nOslo NNP I-NP B-LOC\n. . O O\n\n\nOslo NNP I-NP B-LOC", Options{}},
		"tabs":         {"a.tsv", "\ufeffAda\tB-PER\r\nof\tO\r\nOslo\tB-LOC\r\n.\tO\r\n\r\nOslo\tB-LOC\r\n", Options{}},
		"columns":      {"a.conll", "1 Ada B-PER _\n2 of O _\n3 Oslo B-LOC _\n4 . O _\n\n1 Oslo B-LOC _\n", Options{Text: "2", Label: []string{"3"}}},
		"JSON":         {"a.json", `{"text":["Ada","of","Oslo","."],"label":["B-PER","O","B-LOC","O"]}` + "\n" + `{"text":["Oslo"],"label":["B-LOC"]}`, Options{}},
		"JSON, number": {"a.jsonl", `{"tokens":["Ada","of","Oslo","."],"ner_tags":[2,0,1,0]}` + "\n" + `{"tokens":["Oslo"],"ner_tags":[1]}`, Options{Labels: []string{"O", "B-LOC", "B-PER"}}},
	} {
		set, err := load(t, newTask(t, "tokens", c.options), true, false, c.file, c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, e := range set.Examples {
			got = append(got, fmt.Sprint(e.Words), fmt.Sprint(e.Labels))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// shown writes entities by words and, where they are known, by characters.
func shown(entities []Entity) string {
	var shown []string
	for _, e := range entities {
		text := fmt.Sprint(e.Type, " ", e.StartWord, " ", e.EndWord, " ", e.Text)
		if e.Start != nil {
			text += fmt.Sprintf(" %d-%d", *e.Start, *e.End)
		}
		shown = append(shown, text)
	}
	return strings.Join(shown, ", ")
}

// Tags become entities with their text: words as they stood, or with spaces between them.
func TestEntitiesOfPredictions(t *testing.T) {
	task := newTask(t, "tokens", Options{Labels: []string{"O", "B-LOC", "I-LOC"}, MaxLength: 9})
	typed, err := task.Example("in  the  Oslo中国, film film film")
	if err != nil {
		t.Fatal(err)
	}
	for e, want := range map[*Example]string{
		typed: "[in the Oslo 中 国 , film film film] LOC 2 4 Oslo中 9-14, LOC 4 5 国 14-15, LOC 6 7 film 17-21",
		{Words: []string{"in", "the", "Oslo", "中", "国", ",", "playing", "film"}}: "[in the Oslo 中 国 , playing film] LOC 2 4 Oslo 中, LOC 4 5 国, LOC 6 7 playing",
	} {
		features, err := task.Features(e, wordPieces(t))
		if err != nil {
			t.Fatal(err)
		}
		f := features[0]
		if f.Tokens() != 9 || !f.Truncated {
			t.Errorf("%v: %d tokens, cut off: %v", e.Words, f.Tokens(), f.Truncated)
		}
		logits := make([]float32, 3*9)
		for i, tag := range []int{1, 0, 0, 1, 2, 1, 0, 2, 2} { // [CLS] in the oslo 中 国 , film [SEP]
			logits[3*i+tag] = 1
		}
		p, err := task.Predict(e, features, [][]float32{logits})
		if got := fmt.Sprint(e.Words, " ", shown(p.Entities)); err != nil || got != want {
			t.Errorf("%s, error %v, want %s", got, err, want)
		}
		if last := p.Labels[len(p.Labels)-1]; last != "O" {
			t.Errorf("the word that was cut off is %s", last)
		}
	}
}

// A type of entity needs an example, each of its tags does not.
func TestEmptyEntity(t *testing.T) {
	examples := []*Example{{Place: "here", Words: []string{"Ada"}, Labels: []string{"B-PER"}, Labelled: true}}
	for want, labels := range map[string][]string{
		"": {"O", "B-PER", "I-PER"},
		`entities of type "LOC" have no training example`: {"O", "B-PER", "B-LOC"},
		`here: label "B-PER" is unknown`:                  {"O", "B-LOC"},
		`the labels: tag is "PERSON"`:                     {"O", "B-PER", "PERSON"},
	} {
		err := newTask(t, "tokens", Options{Labels: labels}).Learn(examples)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", labels, err, want)
		}
	}
}
