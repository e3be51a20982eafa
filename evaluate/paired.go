package evaluate

import (
	"context"
	"math"
	"slices"

	"goalbert/models"
	"goalbert/tasks"
)

// paired is what fp32 and int8 say of the same examples, as far as the interval of a drop depends on it.
type paired interface {
	// method says how the interval is found.
	method() string
	// interval is that of the drop, in points.
	interval(ctx context.Context) (Interval, error)
}

// counted are examples that are right or wrong, each independent of the others.
type counted struct {
	worse, better, n float64 // int8 is wrong and fp32 right; the other way about
	agreement        bool    // with fp32, which is right always
}

func (p counted) method() string {
	if p.agreement {
		return "Clopper and Pearson's, exact"
	}
	return "Tango's score interval of paired shares"
}

func (p counted) interval(_ context.Context) (Interval, error) { return p.ends(1), nil }

// ends are those of the interval if there were as many times the examples of each kind.
func (p counted) ends(times float64) Interval {
	i := exactInterval(times*p.worse, times*p.n)
	if !p.agreement {
		i = pairedInterval(times*p.worse, times*p.better, times*p.n)
	}
	return Interval{100 * i.Lower, 100 * i.Upper}
}

// contributed are examples whose mean the score is.
type contributed struct {
	units [][]int   // examples that are not independent of each other
	drops []float64 // of each example, in points
	worst []float64 // if int8 got it as wrong as can be
	seed  uint64
}

func (p contributed) method() string { return bootstrapMethod }

const bootstrapMethod = "percentiles of a paired bootstrap of the examples and one that int8 gets wrong"

func (p contributed) interval(_ context.Context) (Interval, error) {
	return bootstrap(len(p.units), p.seed, func(sample []int, harmed []bool) (float64, error) {
		sum, n := 0.0, 0
		for k, unit := range sample {
			for _, i := range p.units[unit] {
				if n++; harmed[k] {
					sum += p.worst[i]
				} else {
					sum += p.drops[i]
				}
			}
		}
		return sum / float64(n), nil
	})
}

// scored are examples whose score is none of each: F1, a correlation.
type scored struct {
	q                     *Quantization
	units                 [][]int
	examples              []*tasks.Example
	reference, got, worst []*tasks.Prediction
}

func (p scored) method() string { return bootstrapMethod }

func (p scored) interval(ctx context.Context) (Interval, error) {
	return bootstrap(len(p.units), p.q.Seed, func(sample []int, harmed []bool) (float64, error) {
		var examples []*tasks.Example
		var reference, got []*tasks.Prediction
		for k, unit := range sample {
			for _, i := range p.units[unit] {
				examples, reference = append(examples, p.examples[i]), append(reference, p.reference[i])
				if harmed[k] {
					got = append(got, p.worst[i])
				} else {
					got = append(got, p.got[i])
				}
			}
		}
		_, before, err := p.q.points(ctx, examples, reference)
		if err != nil {
			return 0, err
		}
		_, after, err := p.q.points(ctx, examples, got)
		return before - after, err
	})
}

// pair finds of which kind the score of a half is.
func (q *Quantization) pair(ctx context.Context, h *half, got *answers) (paired, error) {
	units := unitsOf(h.set.Examples)
	if q.Task == nil {
		shares := got.agreement(q.Config, h.set, h.reference)
		return q.ofContributions(units, slices.Repeat([]float64{100}, len(shares)), scaled(shares), make([]float64, len(shares))), nil
	}
	worst, err := h.reference.negated(q.Config, q.Task, h.set)
	if err != nil {
		return nil, err
	}
	var all [3][]float64
	for k, predictions := range [][]*tasks.Prediction{h.reference.predictions, got.predictions, worst} {
		if all[k], err = q.contributions(ctx, h, predictions); err != nil {
			return nil, err
		}
		if all[k] == nil {
			return scored{q, units, h.set.Examples, h.reference.predictions, got.predictions, worst}, nil
		}
	}
	return q.ofContributions(units, all[0], all[1], all[2]), nil
}

func scaled(shares []float64) []float64 {
	points := make([]float64, len(shares))
	for i, share := range shares {
		points[i] = 100 * share
	}
	return points
}

// unitsOf gathers the examples of one group or text.
func unitsOf(examples []*tasks.Example) [][]int {
	var units [][]int
	place := map[int]int{}
	for i, number := range unite(examples) {
		k, ok := place[number]
		if !ok {
			k = len(units)
			place[number], units = k, append(units, nil)
		}
		units[k] = append(units[k], i)
	}
	return units
}

// contributions returns the points of each example where the score is their mean, and otherwise nil.
func (q *Quantization) contributions(ctx context.Context, h *half, predictions []*tasks.Prediction) ([]float64, error) {
	means := []string{"accuracy"}
	if q.Config.Architecture == models.ForQuestionAnswering {
		means = []string{"f1", "exact_match", "exact"}
	}
	if !slices.Contains(means, h.measure) {
		return nil, nil
	}
	points := make([]float64, len(predictions))
	for i := range points {
		var err error
		if _, points[i], err = q.points(ctx, h.set.Examples[i:i+1], predictions[i:i+1]); err != nil {
			return nil, err
		}
	}
	// The accuracy of tokens is a mean over words, of which examples have different numbers.
	_, whole, err := q.points(ctx, h.set.Examples, predictions)
	if err != nil || math.Abs(mean(points)-whole) > roundingOf {
		return nil, err
	}
	return points, nil
}

// ofContributions are counted where each example is right or wrong, and independent of the others.
func (q *Quantization) ofContributions(units [][]int, reference, got, worst []float64) paired {
	c := counted{n: float64(len(got)), agreement: q.Task == nil}
	p := contributed{units: units, seed: q.Seed}
	countable := len(units) == len(got)
	for i := range got {
		for _, v := range []float64{reference[i], got[i]} {
			countable = countable && (v == 0 || v == 100)
		}
		if reference[i] > got[i] {
			c.worse++
		} else if reference[i] < got[i] {
			c.better++
		}
		p.drops, p.worst = append(p.drops, reference[i]-got[i]), append(p.worst, reference[i]-worst[i])
	}
	if countable {
		return c
	}
	return p
}

// needed returns of how many examples, of which one half is certified on, an interval of such a drop would be within the
// limit: of counted examples as many times of each kind, of others by the root of their number, as the standard error is. It
// is 0 where that is more than a billion.
func needed(p paired, drop, upper, limit float64, n int) int {
	times := math.Pow((upper-drop)/(limit-drop), 2)
	if c, ok := p.(counted); ok {
		enough := func(times float64) bool { return c.ends(times).Upper <= limit }
		low, high := 1.0, 2.0
		for ; !enough(high) && high*c.n < 1e9; high *= 2 {
			low = high
		}
		for range 50 {
			if middle := (low + high) / 2; enough(middle) {
				high = middle
			} else {
				low = middle
			}
		}
		times = high
	}
	if total := math.Ceil(2 * times * float64(n)); total < 1e9 {
		return int(total)
	}
	return 0
}
