package evaluate

import (
	"context"
	"fmt"
	"math"

	"goalbert/models"
	"goalbert/runtime"
	"goalbert/tasks"
)

// answers are what a session says of the features of a set.
type answers struct {
	outputs     [][]float32         // of each feature, as Outputs has them; of a masked-LM head the largest logit of each token
	decisions   [][]int32           // of each feature, what is chosen among several possibilities; nil where outputs are numbers
	predictions []*tasks.Prediction // of each example, where there is a task
}

// wideBatchTokens is how many tokens a batch has whose outputs are logits of the whole vocabulary.
const wideBatchTokens = 512

// answer runs the features of a set on session. task is nil where only decisions are asked for.
func answer(ctx context.Context, session runtime.Session, c models.Config, task tasks.Task, set *tasks.Set) (*answers, error) {
	a := &answers{}
	var err error
	if c.Architecture.HasPredictions() {
		if err := a.pieces(ctx, session, c, set.Features); err != nil {
			return nil, fmt.Errorf("evaluate: %s: %w", session.Engine(), err)
		}
	} else {
		if a.outputs, err = Outputs(ctx, session, c, set.Features); err != nil {
			return nil, err
		}
		for _, output := range a.outputs {
			a.decisions = append(a.decisions, tasks.Decide(c, output))
		}
	}
	for i, output := range a.outputs {
		for _, v := range output {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("evaluate: %s: %s: the outputs are not finite; the weights are damaged or the training diverged",
					session.Engine(), set.Examples[set.Features[i].Example].Place)
			}
		}
	}
	if task != nil {
		a.predictions, err = set.Predict(task, a.outputs)
	}
	return a, err
}

// pieces finds the most probable piece at each token, and its logit.
func (a *answers) pieces(ctx context.Context, session runtime.Session, c models.Config, features []*tasks.Feature) error {
	a.outputs, a.decisions = make([][]float32, len(features)), make([][]int32, len(features))
	for _, batch := range batches(features, wideBatchTokens) {
		packed := make([]*tasks.Feature, len(batch))
		for i, f := range batch {
			packed[i] = features[f]
		}
		b := tasks.Pack(packed)
		if err := checkSequences(c, b); err != nil {
			return err
		}
		padded := Pad(b, c.PadTokenID)
		results, err := session.Run(ctx, padded.Inputs)
		if err != nil {
			return err
		}
		logits, err := values(results, c.Architecture.Outputs()[0], b.Sequences(), padded.Length, c.VocabSize)
		if err != nil {
			return err
		}
		for i, f := range batch {
			for row := b.Offsets[i]; row < b.Offsets[i+1]; row++ {
				at := padded.Places[row] * c.VocabSize
				best := tasks.ArgMax(logits[at : at+c.VocabSize])
				a.outputs[f] = append(a.outputs[f], logits[at+best])
				a.decisions[f] = append(a.decisions[f], int32(best))
			}
		}
	}
	return nil
}

// agreement returns how far a says of each example of a set what other does: the share of decisions that are the same; of
// embeddings the mean cosine, and 0 where that is less; of a value 1 less its difference in standard deviations of
// other's values, and 0 where that is less.
func (a *answers) agreement(c models.Config, set *tasks.Set, other *answers) []float64 {
	shares, features := make([]float64, len(set.Examples)), make([]float64, len(set.Examples))
	spread := deviation(other.outputs)
	for i, f := range set.Features {
		share := 0.0
		switch {
		case other.decisions[i] != nil:
			for k, d := range other.decisions[i] {
				if a.decisions[i][k] == d {
					share += 1 / float64(len(other.decisions[i]))
				}
			}
		case c.Architecture == models.BaseModel:
			n := len(f.Sequences)
			for k := range n {
				width := len(other.outputs[i]) / n
				share += cosine(a.outputs[i][k*width:(k+1)*width], other.outputs[i][k*width:(k+1)*width]) / float64(n)
			}
		default:
			share = 1 - math.Abs(float64(a.outputs[i][0])-float64(other.outputs[i][0]))/spread
		}
		shares[f.Example] += min(1, max(0, share))
		features[f.Example]++
	}
	for i := range shares {
		if shares[i] /= features[i]; shares[i] > 1-1e-12 { // a sum of shares is rounded
			shares[i] = 1
		}
	}
	return shares
}

// deviation is the standard deviation of the first of each feature's outputs, and 1 where they are all the same.
func deviation(outputs [][]float32) float64 {
	sum, squares, n := 0.0, 0.0, float64(len(outputs))
	for _, o := range outputs {
		sum += float64(o[0])
	}
	for _, o := range outputs {
		squares += (float64(o[0]) - sum/n) * (float64(o[0]) - sum/n)
	}
	if squares == 0 {
		return 1
	}
	return math.Sqrt(squares / n)
}

// cosine is that of the angle between x and y; 0 where one of them is zero.
func cosine(x, y []float32) float64 {
	xy, xx, yy := 0.0, 0.0, 0.0
	for i := range x {
		xy += float64(x[i]) * float64(y[i])
		xx += float64(x[i]) * float64(x[i])
		yy += float64(y[i]) * float64(y[i])
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

// distance is √(Σ(x-y)² / Σy²) over all outputs.
func (a *answers) distance(other *answers) float64 {
	apart, all := 0.0, 0.0
	for i, output := range other.outputs {
		for k, v := range output {
			d := float64(a.outputs[i][k]) - float64(v)
			apart, all = apart+d*d, all+float64(v)*float64(v)
		}
	}
	if all == 0 {
		return math.Sqrt(apart)
	}
	return math.Sqrt(apart / all)
}

// negated are the predictions of outputs of the other sign, each as wrong as can be: the least probable label, a value or an
// embedding's cosine on the other side of zero.
func (a *answers) negated(c models.Config, task tasks.Task, set *tasks.Set) ([]*tasks.Prediction, error) {
	outputs := make([][]float32, len(a.outputs))
	for i, output := range a.outputs {
		turned := make([]float32, len(output))
		copy(turned, output)
		end := len(turned)
		if c.Architecture == models.BaseModel { // of the first sentence alone: the cosine of two turned ones is the same
			end /= len(set.Features[i].Sequences)
		}
		for k := range end {
			turned[k] = -turned[k]
		}
		outputs[i] = turned
	}
	return set.Predict(task, outputs)
}
