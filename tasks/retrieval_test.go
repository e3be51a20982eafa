package tasks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"goalbert/internal/numeric"
)

// retrieved returns examples of pairs, and predictions with those embeddings.
func retrieved(embeddings [][]float32) (examples []*Example, predictions []*Prediction) {
	for i := 0; i < len(embeddings); i += 2 {
		examples = append(examples, &Example{Texts: []string{fmt.Sprint("first ", i), fmt.Sprint("second ", i)}})
		predictions = append(predictions, &Prediction{Embeddings: embeddings[i : i+2]})
	}
	return examples, predictions
}

// A model that gives every sentence the same embedding finds nothing.
func TestRetrievalOfACollapsedModel(t *testing.T) {
	embeddings := make([][]float32, 2*150)
	for i := range embeddings {
		embeddings[i] = normalized([]float32{0.3, -0.7, 0.1, 0.2, 0.9, 0.4, -0.2})
	}
	examples, predictions := retrieved(embeddings)
	scores, err := newTask(t, "similarity", Options{}).Score(t.Context(), examples, predictions)
	if err != nil || scores[0] != (Score{"retrieval_accuracy", 0}) || scores[1].Value > 1.0/149 {
		t.Errorf("%v, error %v; want an accuracy of 0", scores, err)
	}
}

// Two pairs whose second sentences are written the same find either.
func TestRetrievalOfTheSameText(t *testing.T) {
	examples, predictions := retrieved([][]float32{{1, 0}, {1, 0}, {0, 1}, {0, 1}, {1, 0}, {1, 0}})
	examples[2].Texts[1] = examples[0].Texts[1]
	scores, err := newTask(t, "similarity", Options{}).Score(t.Context(), examples, predictions)
	if err != nil || scores[0].Value != 1 {
		t.Errorf("%v, error %v; want an accuracy of 1", scores, err)
	}
}

// Blocks give what each cosine by itself does.
func TestRetrievalOneByOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var embeddings [][]float32
	for range 2 * (2*queryBlock + 3) {
		e := make([]float32, 9)
		for i := range e {
			e[i] = float32(random.NormFloat64())
		}
		embeddings = append(embeddings, normalized(e))
	}
	examples, predictions := retrieved(embeddings)
	accuracy, reciprocal := 0.0, 0.0
	for _, p := range predictions {
		rank := 1
		for _, other := range predictions {
			if other != p && Dot(p.Embeddings[0], other.Embeddings[1]) >= Dot(p.Embeddings[0], p.Embeddings[1]) {
				rank++
			}
		}
		if rank == 1 {
			accuracy++
		}
		reciprocal += 1 / float64(rank)
	}
	scores, err := newTask(t, "similarity", Options{}).Score(t.Context(), examples, predictions)
	if err != nil {
		t.Fatal(err)
	}
	n := float64(len(predictions))
	numeric.Check(t, "retrieval", []float64{scores[0].Value, scores[1].Value}, []float64{accuracy / n, reciprocal / n},
		numeric.SameSum64)
}

// Scoring ends where the evaluation is interrupted.
func TestRetrievalIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	examples, predictions := retrieved([][]float32{{1}, {1}})
	if _, err := newTask(t, "similarity", Options{}).Score(ctx, examples, predictions); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkRetrieval is the evaluation of 6,000 pairs: go test ./tasks -run - -bench Retrieval
func BenchmarkRetrieval(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	embeddings := make([][]float32, 2*6000)
	for i := range embeddings {
		embeddings[i] = make([]float32, 256)
		for j := range embeddings[i] {
			embeddings[i][j] = float32(random.NormFloat64())
		}
		embeddings[i] = normalized(embeddings[i])
	}
	examples, predictions := retrieved(embeddings)
	for b.Loop() {
		if _, _, err := retrieval(b.Context(), examples, predictions); err != nil {
			b.Fatal(err)
		}
	}
}
