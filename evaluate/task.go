package evaluate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"goalbert/models"
	"goalbert/runtime"
	"goalbert/tasks"
)

// TaskResult is what a model says of the examples of a task.
type TaskResult struct {
	Outputs     [][]float32         // of each feature, as tasks.Task.Predict takes them
	Predictions []*tasks.Prediction // of each example
	Scores      tasks.Scores        // of the predictions
}

// Task runs the features of a set on session, and compares what the outputs say with the labels of its examples.
func Task(ctx context.Context, session runtime.Session, c models.Config, task tasks.Task, set *tasks.Set) (*TaskResult, error) {
	r, err := Predict(ctx, session, c, task, set)
	if err != nil {
		return nil, err
	}
	r.Scores, err = task.Score(ctx, set.Examples, r.Predictions)
	return r, err
}

// Predict runs the features of a set on session; its examples need no labels, and the result has no scores.
func Predict(ctx context.Context, session runtime.Session, c models.Config, task tasks.Task, set *tasks.Set) (*TaskResult, error) {
	outputs, err := Outputs(ctx, session, c, set.Features)
	if err != nil {
		return nil, err
	}
	predictions, err := set.Predict(task, outputs)
	return &TaskResult{Outputs: outputs, Predictions: predictions}, err
}

// batchTokens is how many tokens a batch has: enough for an engine to be busy, and few enough for the memory of outputs.
const batchTokens = 4096

// Outputs runs features on session, those of like lengths together, and returns for each of them, in the order given,
// the logits of its labels, (labels); of each of its tokens, (tokens, labels); where an answer starts and ends, (tokens,
// 2); of its choices, (choices); or, of an AlbertModel, the embeddings of its sentences, (sentences, H), means of hidden
// states.
func Outputs(ctx context.Context, session runtime.Session, c models.Config, features []*tasks.Feature) ([][]float32, error) {
	outputs := make([][]float32, len(features))
	for _, batch := range batches(features, batchTokens) {
		packed := make([]*tasks.Feature, len(batch))
		for i, f := range batch {
			packed[i] = features[f]
		}
		rows, err := taskBatch(ctx, session, c, packed)
		if err != nil {
			return nil, fmt.Errorf("evaluate: %s: %w", session.Engine(), err)
		}
		for i, f := range batch {
			outputs[f] = rows[i]
		}
	}
	return outputs, nil
}

// batches divides features, by their indices, into batches of as many sequences each, sorted by length, and of at most that
// many tokens, padding included, unless one feature has more.
func batches(features []*tasks.Feature, most int) [][]int {
	order := make([]int, len(features))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if d := len(features[a].Sequences) - len(features[b].Sequences); d != 0 {
			return d
		}
		return longest(features[a]) - longest(features[b])
	})
	var all [][]int
	for begin := 0; begin < len(order); {
		end := begin + 1
		for ; end < len(order); end++ {
			f := features[order[end]]
			sequences := (end + 1 - begin) * len(f.Sequences)
			if len(f.Sequences) != len(features[order[begin]].Sequences) || sequences*longest(f) > most {
				break
			}
		}
		all = append(all, order[begin:end])
		begin = end
	}
	return all
}

// longest returns the tokens of the longest sequence of f.
func longest(f *tasks.Feature) int {
	n := 0
	for _, s := range f.Sequences {
		n = max(n, len(s.InputIDs))
	}
	return n
}

// taskBatch returns the outputs of features that have as many sequences each.
func taskBatch(ctx context.Context, session runtime.Session, c models.Config, features []*tasks.Feature) ([][]float32, error) {
	b := tasks.Pack(features)
	if err := checkSequences(c, b); err != nil {
		return nil, err
	}
	padded := Pad(b, c.PadTokenID)
	if c.Architecture == models.ForMultipleChoice {
		padded.groupBy(b.GroupSize())
	}
	results, err := session.Run(ctx, padded.Inputs)
	if err != nil {
		return nil, err
	}
	return taskOutputs(results, c, b, padded)
}

// taskOutputs divides the outputs of a batch among its features, without padding.
func taskOutputs(results map[string]runtime.Tensor, c models.Config, b *models.Batch, p Padded) ([][]float32, error) {
	group := b.GroupSize()
	switch c.Architecture {
	case models.ForSequenceClassification:
		return perFeature(results, models.Logits, b.Sequences(), b.Sequences(), c.Labels.Len())
	case models.ForMultipleChoice:
		return perFeature(results, models.Logits, b.Sequences()/group, b.Sequences()/group, group)
	case models.ForTokenClassification:
		return perToken(results, b, p, c.Labels.Len(), models.Logits)
	case models.ForQuestionAnswering:
		return perToken(results, b, p, 1, models.StartLogits, models.EndLogits)
	case models.BaseModel:
		if _, ready := results[models.SentenceEmbedding]; ready {
			return perFeature(results, models.SentenceEmbedding, b.Sequences()/group, b.Sequences(), c.HiddenSize)
		}
		return meanPooled(results, b, p, c.HiddenSize)
	}
	return nil, fmt.Errorf("an %s is not fine-tuned for a task", c.Architecture)
}

// perFeature divides an output of that shape into equal parts.
func perFeature(results map[string]runtime.Tensor, name string, features int, shape ...int) ([][]float32, error) {
	all, err := values(results, name, shape...)
	if err != nil {
		return nil, err
	}
	outputs, size := make([][]float32, features), len(all)/features
	for i := range outputs {
		outputs[i] = all[i*size : (i+1)*size : (i+1)*size]
	}
	return outputs, nil
}

// perToken gathers, for each sequence, of each of its tokens the columns of all outputs of those names, which are (batch,
// sequence, columns), or (batch, sequence) of one column where there are several.
func perToken(results map[string]runtime.Tensor, b *models.Batch, p Padded, columns int, names ...string) ([][]float32, error) {
	shape := []int{b.Sequences(), p.Length}
	if len(names) == 1 {
		shape = append(shape, columns)
	}
	outputs := make([][]float32, b.Sequences())
	width := columns * len(names)
	for i := range outputs {
		outputs[i] = make([]float32, (b.Offsets[i+1]-b.Offsets[i])*width)
	}
	for k, name := range names {
		all, err := values(results, name, shape...)
		if err != nil {
			return nil, err
		}
		for i := range outputs {
			for j, row := 0, b.Offsets[i]; row < b.Offsets[i+1]; j, row = j+1, row+1 {
				copy(outputs[i][j*width+k*columns:], all[p.Places[row]*columns:(p.Places[row]+1)*columns])
			}
		}
	}
	return outputs, nil
}

// meanPooled returns, for each sequence, the mean of its hidden states, normalized to length 1, and of a group those of
// all its sequences one after the other.
func meanPooled(results map[string]runtime.Tensor, b *models.Batch, p Padded, h int) ([][]float32, error) {
	hidden, err := values(results, models.LastHiddenState, b.Sequences(), p.Length, h)
	if err != nil {
		return nil, err
	}
	outputs := make([][]float32, b.Sequences()/b.GroupSize())
	for i := range b.Sequences() {
		sums, squares := make([]float64, h), 0.0
		for row := b.Offsets[i]; row < b.Offsets[i+1]; row++ {
			for j, v := range hidden[p.Places[row]*h : (p.Places[row]+1)*h] {
				sums[j] += float64(v)
			}
		}
		for _, v := range sums {
			squares += v * v
		}
		f := i / b.GroupSize()
		for _, v := range sums {
			outputs[f] = append(outputs[f], float32(v/math.Sqrt(squares))) // the mean's division cancels
		}
	}
	return outputs, nil
}
