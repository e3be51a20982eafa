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

// Quantization is the question which matrices of a model cannot be int8, and whether the model without them is as good as
// in fp32.
//
// The answer to the first is found on one half of the data and that to the second on the other, which the search has not
// seen: what was chosen for being best on a half looks better there than it is.
type Quantization struct {
	Config    models.Config
	Reference runtime.Session                              // the model in fp32
	Open      func(keep []string) (runtime.Session, error) // the model in int8 but for those matrices; Run closes it
	Matrices  []Matrix                                     // that may be int8

	// Task measures a drop of its own metric; without one, which examples without labels need, it is the agreement with
	// fp32: the mean share of decisions that are the same.
	Task            tasks.Task
	Search, Certify *tasks.Set

	MaxDrop float64 // points: hundredths of a score whose best is 1
	Seed    uint64  // of the bootstrap

	Tell func(what string, s *HalfScore) // what was measured on the half that is searched; may be nil
}

// Matrix is one that may be int8.
type Matrix struct {
	Name  string
	Saved int64 // bytes that int8 saves
}

// HalfScore is the score of a model on one half.
type HalfScore struct {
	FP32    float64 `json:"fp32"` // points
	INT8    float64 `json:"int8"`
	Drop    float64 `json:"drop"`    // FP32 - INT8
	Changed int     `json:"changed"` // examples of which a decision is not that of fp32
	Error   float64 `json:"error"`   // √(Σ(int8-fp32)² / Σ fp32²) of the outputs

	answers *answers
}

// Restored is the score with one more matrix in fp32.
type Restored struct {
	Matrix string  `json:"matrix"`
	Saved  int64   `json:"saved"` // bytes that int8 would save
	Gain   float64 `json:"gain"`  // by which the drop falls
	HalfScore
}

// Round is a step of the search: each matrix restored in turn.
type Round struct {
	Keep     []string   `json:"keep"` // before it
	Drop     float64    `json:"drop"`
	Restored []Restored `json:"restored"`         // best first
	Chosen   string     `json:"chosen,omitempty"` // empty where the drop was within the limit
}

// Certificate is what Run finds.
type Certificate struct {
	Measure   string     `json:"measure"` // the task's metric, or agreement
	MaxDrop   float64    `json:"max_drop"`
	Keep      []string   `json:"keep"`     // matrices in fp32
	Searched  int        `json:"searched"` // examples
	Whole     HalfScore  `json:"all_int8"` // on the half that was searched, with nothing kept
	Rounds    []Round    `json:"rounds"`
	Examples  int        `json:"examples"` // on which it is certified, none of which was searched
	Score     *HalfScore `json:"score,omitempty"`
	Lower     float64    `json:"lower"` // of the drop, with Confidence
	Upper     float64    `json:"upper"`
	Interval  string     `json:"interval,omitempty"` // how it was found
	Certified bool       `json:"certified"`          // Upper is at most MaxDrop
	Needed    int        `json:"needed,omitempty"`   // examples, both halves, that would certify such a drop; 0 is that none would
	NothingIn bool       `json:"nothing_in_int8"`    // the search kept every matrix
}

// AgreementMeasure is what Certificate.Measure is called without a task.
const AgreementMeasure = "agreement"

// Run searches and certifies. From everything in int8, as long as the drop exceeds the limit, it keeps the matrix whose
// restoration gains most, each being measured, and of those that gain as much the smallest. Where none gains, as no single one
// can where two of them spoil the answers, it keeps the one that brings the outputs nearest to those of fp32. The first round
// is measured in any case, to say how sensitive each matrix is. An error is of an engine or a task; a model that fails is a
// Certificate without Certified.
func (q *Quantization) Run(ctx context.Context) (*Certificate, error) {
	if !(q.MaxDrop >= 0 && q.MaxDrop < 100) {
		return nil, fmt.Errorf("evaluate: the largest drop is %v points, want 0 or more and less than 100", q.MaxDrop)
	}
	search, err := q.half(ctx, q.Search)
	if err != nil {
		return nil, err
	}
	c := &Certificate{Measure: search.measure, MaxDrop: q.MaxDrop, Searched: len(q.Search.Examples), Keep: []string{}}
	if err := q.search(ctx, search, c); err != nil || c.NothingIn {
		return c, err
	}
	return c, q.certify(ctx, c)
}

// half is one half of the data, and what fp32 says of it.
type half struct {
	set       *tasks.Set
	reference *answers
	measure   string
	score     float64 // points
}

func (q *Quantization) half(ctx context.Context, set *tasks.Set) (*half, error) {
	h := &half{set: set, measure: AgreementMeasure, score: 100}
	var err error
	if h.reference, err = answer(ctx, q.Reference, q.Config, q.Task, set); err != nil || q.Task == nil {
		return h, err
	}
	h.measure, h.score, err = q.points(ctx, set.Examples, h.reference.predictions)
	return h, err
}

// points returns the task's own metric, by its name.
func (q *Quantization) points(ctx context.Context, examples []*tasks.Example, predictions []*tasks.Prediction) (string, float64, error) {
	scores, err := q.Task.Score(ctx, examples, predictions)
	if err != nil {
		return "", 0, err
	}
	points := scores[0].Value
	if q.Config.Architecture != models.ForQuestionAnswering { // whose official scores are points already
		points *= 100
	}
	return scores[0].Name, points, nil
}

// measureWith opens the model that keeps those matrices and scores it on a half.
func (q *Quantization) measureWith(ctx context.Context, h *half, keep []string) (*HalfScore, error) {
	session, err := q.Open(keep)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	s := &HalfScore{FP32: h.score}
	if s.answers, err = answer(ctx, session, q.Config, q.Task, h.set); err != nil {
		return nil, err
	}
	shares := s.answers.agreement(q.Config, h.set, h.reference)
	for _, share := range shares {
		if share < 1 && h.reference.decisions[0] != nil {
			s.Changed++
		}
	}
	s.Error = s.answers.distance(h.reference)
	if q.Task == nil {
		s.INT8 = 100 * mean(shares)
	} else if _, s.INT8, err = q.points(ctx, h.set.Examples, s.answers.predictions); err != nil {
		return nil, err
	}
	s.Drop = s.FP32 - s.INT8
	return s, nil
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// roundingOf is by how much points that are equal may differ, being computed in another order.
const roundingOf = 1e-9

// search fills c with what is kept, and why.
func (q *Quantization) search(ctx context.Context, h *half, c *Certificate) error {
	now, err := q.measureWith(ctx, h, c.Keep)
	if err != nil {
		return err
	}
	c.Whole = *now
	q.tell("all in int8", now)
	for {
		within := now.Drop <= q.MaxDrop+roundingOf
		if within && len(c.Rounds) > 0 {
			return nil
		}
		round, err := q.round(ctx, h, c.Keep, now)
		if err != nil {
			return err
		}
		c.Rounds = append(c.Rounds, *round)
		if within {
			return nil
		}
		if len(round.Restored) == 0 { // one matrix is left: without it the model is fp32
			c.NothingIn = true
			return nil
		}
		best := round.Restored[0]
		c.Rounds[len(c.Rounds)-1].Chosen = best.Matrix
		c.Keep = append(slices.Clone(c.Keep), best.Matrix)
		now = &best.HalfScore
	}
}

func (q *Quantization) tell(what string, s *HalfScore) {
	if q.Tell != nil {
		q.Tell(what, s)
	}
}

// round restores in turn each matrix that is left, unless it is the last.
func (q *Quantization) round(ctx context.Context, h *half, keep []string, now *HalfScore) (*Round, error) {
	round := &Round{Keep: keep, Drop: now.Drop, Restored: []Restored{}}
	if len(q.Matrices)-len(keep) < 2 {
		return round, nil
	}
	for _, m := range q.Matrices {
		if slices.Contains(keep, m.Name) {
			continue
		}
		s, err := q.measureWith(ctx, h, append(slices.Clone(keep), m.Name))
		if err != nil {
			return nil, err
		}
		q.tell("with "+m.Name+" in fp32", s)
		s.answers = nil
		round.Restored = append(round.Restored, Restored{m.Name, m.Saved, now.Drop - s.Drop, *s})
	}
	slices.SortStableFunc(round.Restored, before)
	if round.Restored[0].Gain <= roundingOf {
		slices.SortStableFunc(round.Restored, func(a, b Restored) int { return order(a.Error, b.Error) })
	}
	return round, nil
}

// before orders by gain, largest first, then by size, smallest first.
func before(a, b Restored) int {
	if math.Abs(a.Gain-b.Gain) > roundingOf {
		return order(b.Gain, a.Gain)
	}
	return order(float64(a.Saved), float64(b.Saved))
}

func order(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// certify measures the model that the search found on the other half.
func (q *Quantization) certify(ctx context.Context, c *Certificate) error {
	h, err := q.half(ctx, q.Certify)
	if err != nil {
		return err
	}
	s, err := q.measureWith(ctx, h, c.Keep)
	if err != nil {
		return err
	}
	c.Score, c.Examples = s, len(h.set.Examples)
	p, err := q.pair(ctx, h, s)
	if err != nil {
		return err
	}
	interval, err := p.interval(ctx)
	if err != nil {
		return err
	}
	c.Lower, c.Upper, c.Interval = min(interval.Lower, s.Drop), max(interval.Upper, s.Drop), p.method()
	c.Certified = c.Upper <= q.MaxDrop
	if !c.Certified && s.Drop < q.MaxDrop {
		c.Needed = needed(p, s.Drop, c.Upper, q.MaxDrop, c.Examples)
	}
	return nil
}
