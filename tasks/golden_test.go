package tasks

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/tokenizer"
)

// readGolden reads a file that tools/golden/tasks.py wrote.
func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// compareScores compares with the scores of others, which must all be there.
func compareScores(t *testing.T, name string, got Scores, want map[string]float64) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: nothing to compare with", name)
	}
	for key, w := range want {
		i := slices.IndexFunc(got, func(s Score) bool { return s.Name == key })
		if i < 0 {
			t.Errorf("%s: no %s", name, key)
			continue
		}
		numeric.Check(t, name+" "+key, []float64{got[i].Value}, []float64{w}, numeric.SameSum64)
	}
}

// numbered are the labels 0 to n-1.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// chosen are the labels whose cells are 1.
func chosen(cells []int) []string {
	names := []string{}
	for i, cell := range cells {
		if cell == 1 {
			names = append(names, strconv.Itoa(i))
		}
	}
	return names
}

// The metrics are those of scikit-learn, SciPy, seqeval and SQuAD on random predictions.
func TestGoldenMetrics(t *testing.T) {
	type scores = map[string]float64
	var golden struct {
		Classification []struct {
			Labels    int
			Want, Got []int
			Scores    scores
		}
		MultiLabel []struct {
			Labels    int
			Want, Got [][]int
			Scores    scores
		} `json:"multi_label"`
		Correlation []struct {
			Want, Got []float64
			Scores    scores
		}
		Retrieval []struct {
			Embeddings [][][]float32
			Scores     scores
		}
		Entities []struct {
			Want, Got [][]string
			Scores    scores
		}
		SQuAD1, SQuAD2 struct {
			Questions []struct {
				Answers   []string
				Predicted string
				Odds      float64
			}
			Threshold float64
			Scores    scores
		}
	}
	readGolden(t, "metrics.json", &golden)
	score := func(name string, task Task, examples []*Example, predictions []*Prediction, want scores) {
		t.Helper()
		got, err := task.Score(t.Context(), examples, predictions)
		if err != nil {
			t.Fatal(err)
		}
		compareScores(t, name, got, want)
	}
	for i, g := range golden.Classification {
		var examples []*Example
		var predictions []*Prediction
		for j := range g.Want {
			examples = append(examples, &Example{Labelled: true, Labels: []string{strconv.Itoa(g.Want[j])}})
			predictions = append(predictions, &Prediction{Label: strconv.Itoa(g.Got[j])})
		}
		task := newTask(t, "classification", Options{Labels: numbered(g.Labels)})
		score(fmt.Sprint("classification ", i), task, examples, predictions, g.Scores)
	}
	for i, g := range golden.MultiLabel {
		var examples []*Example
		var predictions []*Prediction
		for j := range g.Want {
			examples = append(examples, &Example{Labelled: true, Labels: chosen(g.Want[j])})
			predictions = append(predictions, &Prediction{Labels: chosen(g.Got[j])})
		}
		task := newTask(t, "classification", Options{Labels: numbered(g.Labels), MultiLabel: true})
		score(fmt.Sprint("several labels ", i), task, examples, predictions, g.Scores)
	}
	for i, g := range golden.Correlation {
		var examples []*Example
		var predictions []*Prediction
		for j := range g.Want {
			examples = append(examples, &Example{Labelled: true, Value: g.Want[j]})
			predictions = append(predictions, &Prediction{Value: &g.Got[j]})
		}
		for _, name := range []string{"regression", "similarity"} {
			score(fmt.Sprint(name, " ", i), newTask(t, name, Options{}), examples, predictions, g.Scores)
		}
	}
	for i, g := range golden.Retrieval {
		var examples []*Example
		var predictions []*Prediction
		for j, embeddings := range g.Embeddings {
			e := &Example{}
			for k := range embeddings {
				e.Texts = append(e.Texts, fmt.Sprint(j, k))
			}
			examples = append(examples, e)
			predictions = append(predictions, &Prediction{Embeddings: embeddings})
		}
		score(fmt.Sprint("retrieval ", i), newTask(t, "similarity", Options{}), examples, predictions, g.Scores)
	}
	for i, g := range golden.Entities {
		var examples []*Example
		var predictions []*Prediction
		for j := range g.Want {
			examples = append(examples, &Example{Labelled: true, Labels: g.Want[j]})
			predictions = append(predictions, &Prediction{Labels: g.Got[j]})
		}
		score(fmt.Sprint("tokens ", i), newTask(t, "tokens", Options{}), examples, predictions, g.Scores)
	}
	for _, squad := range []string{"squad", "squad2"} {
		g := golden.SQuAD1
		if squad == "squad2" {
			g = golden.SQuAD2
		}
		var examples []*Example
		var predictions []*Prediction
		for _, q := range g.Questions {
			e := &Example{Labelled: true, Impossible: len(q.Answers) == 0}
			for _, text := range q.Answers {
				e.Answers = append(e.Answers, Answer{Text: text})
			}
			examples = append(examples, e)
			p := &Prediction{Answer: &q.Predicted, NullOdds: &q.Odds, NBest: []Candidate{{Text: q.Predicted}}}
			if squad == "squad2" && q.Odds > g.Threshold {
				p.Answer = new(string)
			}
			predictions = append(predictions, p)
		}
		score(squad, newTask(t, squad, Options{}), examples, predictions, g.Scores)
	}
}

func goldenTokenizer(t *testing.T) tokenizer.Tokenizer {
	t.Helper()
	b, err := tokenizer.OpenBert("../tokenizer/testdata/wordpiece/vocab.txt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The features of questions, choices and words are those of transformers.
func TestGoldenFeatures(t *testing.T) {
	var golden struct {
		Answers struct {
			Context string
			Cases   []struct {
				Question  string
				Answer    *string
				Start     int // in characters
				MaxLength int `json:"max_length"`
				Stride    int
				MaxQuery  int `json:"max_query"`
				Windows   []struct {
					InputIDs     []int32 `json:"input_ids"`
					TokenTypeIDs []int32 `json:"token_type_ids"`
					Start, End   int32
					MaxContext   []int `json:"max_context"`
				}
			}
		}
		Choices struct {
			Article string
			Cases   []struct {
				Question  string
				Options   []string
				MaxLength int `json:"max_length"`
				Most      int // tokens of question and choice
				Sequences []struct {
					InputIDs     []int32 `json:"input_ids"`
					TokenTypeIDs []int32 `json:"token_type_ids"`
				}
			}
		}
		Tokens struct {
			MaxLength int `json:"max_length"`
			Labels    []string
			Cases     []struct {
				Words, Tags []string
				InputIDs    []int32 `json:"input_ids"`
				Labels      []int32
			}
		}
	}
	readGolden(t, "features.json", &golden)
	tok := goldenTokenizer(t)
	positions := runePositions(golden.Answers.Context)
	for _, c := range golden.Answers.Cases {
		e := &Example{Texts: []string{c.Question, golden.Answers.Context}, Labelled: true, Impossible: c.Answer == nil}
		if c.Answer != nil {
			e.Answers = []Answer{{Text: *c.Answer, Start: positions[c.Start]}}
		}
		task := newTask(t, "squad2", Options{MaxLength: c.MaxLength, DocStride: c.Stride, MaxQueryLength: c.MaxQuery})
		features, err := task.Features(e, tok)
		if err != nil {
			t.Fatal(err)
		}
		if len(features) != len(c.Windows) {
			t.Errorf("%q in %d tokens: %d windows, want %d", c.Question, c.MaxLength, len(features), len(c.Windows))
			continue
		}
		for i, w := range c.Windows {
			f := features[i]
			var best []int
			for j, isBest := range f.window.best {
				if isBest {
					best = append(best, f.window.begin+j)
				}
			}
			if s := f.Sequences[0]; !slices.Equal(s.InputIDs, w.InputIDs) || !slices.Equal(s.TokenTypeIDs, w.TokenTypeIDs) ||
				!slices.Equal(f.Labels, []int32{w.Start, w.End}) || !slices.Equal(best, w.MaxContext) {
				t.Errorf("%q in %d tokens, window %d: answer %v, best %v, want %d to %d, %v", c.Question, c.MaxLength, i,
					f.Labels, best, w.Start, w.End, w.MaxContext)
			}
		}
	}
	for _, c := range golden.Choices.Cases {
		text, err := json.Marshal(map[string]any{"article": golden.Choices.Article, "questions": []string{c.Question},
			"options": [][]string{c.Options}, "answers": []string{"C"}})
		if err != nil {
			t.Fatal(err)
		}
		task := newTask(t, "race", Options{MaxLength: c.MaxLength, MaxQueryLength: c.Most})
		set, err := Load(task, true, false, tree(t, map[string]string{"high/1.txt": string(text)}))
		if err == nil {
			err = set.Encode(task, tok)
		}
		if err != nil {
			t.Fatal(err)
		}
		f := set.Features[0]
		if len(f.Sequences) != len(c.Sequences) || f.Labels[0] != 2 {
			t.Errorf("%q: %d sequences, labels %v", c.Question, len(f.Sequences), f.Labels)
			continue
		}
		for i, want := range c.Sequences {
			if s := f.Sequences[i]; !slices.Equal(s.InputIDs, want.InputIDs) || !slices.Equal(s.TokenTypeIDs, want.TokenTypeIDs) {
				t.Errorf("%q in %d tokens, choice %d: %s, want %s", c.Question, c.MaxLength, i, tok.Decode(s.InputIDs),
					tok.Decode(want.InputIDs))
			}
		}
	}
	for _, c := range golden.Tokens.Cases {
		task := newTask(t, "tokens", Options{MaxLength: golden.Tokens.MaxLength, Labels: golden.Tokens.Labels})
		features, err := task.Features(&Example{Words: c.Words, Labels: c.Tags, Labelled: true}, tok)
		if err != nil {
			t.Fatal(err)
		}
		if f := features[0]; !slices.Equal(f.Sequences[0].InputIDs, c.InputIDs) || !slices.Equal(f.Labels, c.Labels) {
			t.Errorf("%v: ids %v, labels %v, want %v, %v", c.Words, f.Sequences[0].InputIDs, f.Labels, c.InputIDs, c.Labels)
		}
		if b := Pack(features); len(b.Labels) != b.Tokens() || b.Labels[0] != models.IgnoreIndex {
			t.Errorf("%v: %d labels for %d tokens", c.Words, len(b.Labels), b.Tokens())
		}
	}
}
