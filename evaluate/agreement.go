package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"goalbert/internal/numeric"
	"goalbert/tasks"
)

// Agreement is how far two engines say the same of the examples of a set.
type Agreement struct {
	Examples  int      `json:"examples"`
	Same      int      `json:"same"`      // are predicted to be the same
	Ties      int      `json:"ties"`      // are not, though all their outputs are equal within the tolerance
	Different int      `json:"different"` // are not, and an output differs by more
	MaxAbs    float64  `json:"max_abs"`   // largest difference of an output
	Share     float64  `json:"share"`     // of the tolerance that the worst output uses
	Places    []string `json:"places"`    // of the first examples that are different or ties
}

// OK reports whether the predictions are the same but for ties.
func (a *Agreement) OK() bool { return a.Examples > 0 && a.Different == 0 }

// infinite stands for a difference without bound: JSON has no infinity.
const infinite = 1e300

// Agree compares what two engines say of one set. A prediction is a function of the outputs: where it differs although
// every output is equal within the tolerance, the tolerance spans the border between two predictions, and so they are
// tied. Of a task that predicts numbers, values and embeddings, the same are outputs that are equal within the tolerance.
func Agree(set *tasks.Set, got, want *TaskResult, t numeric.Tolerance) (*Agreement, error) {
	a := &Agreement{Examples: len(set.Examples), Places: []string{}}
	within := make([]bool, len(set.Examples))
	for i := range within {
		within[i] = true
	}
	for i, f := range set.Features {
		c := numeric.Compare(got.Outputs[i], want.Outputs[i], t)
		a.MaxAbs, a.Share = max(a.MaxAbs, finite(c.MaxAbs)), max(a.Share, finite(c.Share))
		within[f.Example] = within[f.Example] && c.OK()
	}
	for i, e := range set.Examples {
		same, err := sameDecision(got.Predictions[i], want.Predictions[i])
		if err != nil {
			return nil, fmt.Errorf("evaluate: compare predictions of %s: %w", e.Place, err)
		}
		isNumber := !decides(want.Predictions[i])
		switch {
		case same && (within[i] || !isNumber):
			a.Same++
			continue
		case within[i]:
			a.Ties++
		default:
			a.Different++
		}
		if len(a.Places) < 8 {
			a.Places = append(a.Places, e.Place)
		}
	}
	return a, nil
}

func finite(x float64) float64 {
	if math.IsNaN(x) {
		return infinite
	}
	return min(x, infinite)
}

// decision is what of a prediction is chosen among several possibilities.
type decision struct {
	Label    string
	Labels   []string
	Entities []tasks.Entity
	Answer   *string
	Choice   *int
}

func decisionOf(p *tasks.Prediction) decision {
	return decision{p.Label, p.Labels, p.Entities, p.Answer, p.Choice}
}

// decides reports whether anything is chosen.
func decides(p *tasks.Prediction) bool {
	return p.Label != "" || p.Labels != nil || p.Answer != nil || p.Choice != nil
}

func sameDecision(a, b *tasks.Prediction) (bool, error) {
	x, err := json.Marshal(decisionOf(a))
	if err != nil {
		return false, err
	}
	y, err := json.Marshal(decisionOf(b))
	return slices.Equal(x, y), err
}
