package evaluate

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"goalbert/models"
	"goalbert/runtime"
	"goalbert/tasks"
)

// Pretraining runs the batches on session and adds up the losses of the masked tokens, and of the sentence labels
// where the model has a sentence head and the batch has labels. A model whose weights are not finite has losses that
// are not.
func Pretraining(ctx context.Context, session runtime.Session, c models.Config,
	batches iter.Seq[*models.Batch]) (models.Losses, error) {
	var total models.Losses
	for b := range batches {
		losses, err := pretrainingBatch(ctx, session, c, b)
		if err != nil {
			return models.Losses{}, fmt.Errorf("evaluate: %s: %w", session.Engine(), err)
		}
		total.Add(losses)
	}
	if total.MaskedTokens == 0 {
		return total, fmt.Errorf("evaluate: there is no masked token to predict; give more text")
	}
	return total, nil
}

func pretrainingBatch(ctx context.Context, session runtime.Session, c models.Config,
	b *models.Batch) (models.Losses, error) {
	var l models.Losses
	if err := check(c, b); err != nil {
		return l, err
	}
	padded := Pad(b, c.PadTokenID)
	outputs, err := session.Run(ctx, padded.Inputs)
	if err != nil {
		return l, err
	}
	predictions := c.Architecture.Outputs()[0]
	logits, err := values(outputs, predictions, b.Sequences(), padded.Length, c.VocabSize)
	if err != nil {
		return l, err
	}
	for i, row := range b.MaskedPositions {
		place := padded.Places[row]
		l.MaskedLM += crossEntropy(logits[place*c.VocabSize:(place+1)*c.VocabSize], b.MaskedLabels[i],
			&l.MaskedTokens, &l.MaskedCorrect)
	}
	if b.SentenceLabels == nil || c.Architecture != models.ForPreTraining {
		return l, nil
	}
	order, err := values(outputs, models.SOPLogits, b.Sequences(), 2)
	if err != nil {
		return l, err
	}
	for i, label := range b.SentenceLabels {
		l.Sentence += crossEntropy(order[2*i:2*i+2], label, &l.Sentences, &l.SentenceCorrect)
	}
	return l, nil
}

// values returns the float32 output of that name, which must have that shape.
func values(outputs map[string]runtime.Tensor, name string, shape ...int) ([]float32, error) {
	t, ok := outputs[name]
	if !ok {
		return nil, fmt.Errorf("the model has no output %s", name)
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("output %s has shape %v, want %v", name, t.Shape, shape)
	}
	return runtime.Values[float32](name, t)
}

// crossEntropy returns −log softmax(logits)[label] and counts it; an ignored label is neither.
func crossEntropy(logits []float32, label int32, count, correct *int) float64 {
	if label == models.IgnoreIndex {
		return 0
	}
	best, sum := tasks.ArgMax(logits), 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x) - float64(logits[best]))
	}
	*count++
	if best == int(label) {
		*correct++
	}
	return math.Log(sum) + float64(logits[best]) - float64(logits[label])
}
