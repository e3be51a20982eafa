package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"goalbert/models"
	"goalbert/runtime"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

// Embed returns the embeddings of texts, of length 1, as the task of similarity makes them of the outputs of a model,
// and of how many the end was cut off.
func Embed(ctx context.Context, session runtime.Session, c models.Config, task tasks.Task, t tokenizer.Tokenizer,
	texts []string) (embeddings [][]float32, truncated int, err error) {
	set := &tasks.Set{}
	for _, text := range texts {
		e, err := task.Example(text)
		if err != nil {
			return nil, 0, err
		}
		set.Examples = append(set.Examples, e)
	}
	if err := set.Encode(task, t); err != nil {
		return nil, 0, err
	}
	r, err := Predict(ctx, session, c, task, set)
	if err != nil {
		return nil, 0, err
	}
	for _, p := range r.Predictions {
		if len(p.Embeddings) != 1 {
			return nil, 0, fmt.Errorf("evaluate: task %s gives no embedding of a text", task.Name())
		}
		embeddings = append(embeddings, p.Embeddings[0])
	}
	return embeddings, set.Truncated, nil
}

// Neighbour is a sentence that is near to another one.
type Neighbour struct {
	Index  int     `json:"index"`  // among the embeddings that were searched
	Cosine float64 `json:"cosine"` // of the two embeddings
}

// Nearest returns the k embeddings that have the largest cosine with the query, largest first, and of equal ones the
// earlier one first. All are of length 1.
func Nearest(query []float32, embeddings [][]float32, k int) []Neighbour {
	all := make([]Neighbour, len(embeddings))
	for i, e := range embeddings {
		all[i] = Neighbour{Index: i, Cosine: tasks.Dot(query, e)}
	}
	slices.SortStableFunc(all, func(a, b Neighbour) int { return cmp.Compare(b.Cosine, a.Cosine) })
	return all[:min(k, len(all))]
}
