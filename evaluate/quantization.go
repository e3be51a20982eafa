package evaluate

import (
	"cmp"
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

	Table  bool // measure how sensitive each matrix is although none need be kept
	Anyway bool // search although there are too few examples to certify anything

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

	// Upper is the upper end of the drop's interval, where the drop is within the limit on the half that is searched.
	Upper *float64 `json:"upper,omitempty"`

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
	Upper    *float64   `json:"upper,omitempty"`  // of the drop, where it was within the limit
	Restored []Restored `json:"restored"`         // best first
	Chosen   string     `json:"chosen,omitempty"` // empty where nothing more had to be kept
}

// Certificate is what Run finds.
type Certificate struct {
	Measure   string     `json:"measure"` // the task's metric, or agreement
	MaxDrop   float64    `json:"max_drop"`
	Keep      []string   `json:"keep"`     // matrices in fp32
	Searched  int        `json:"searched"` // examples
	Whole     HalfScore  `json:"all_int8"` // on the half that was searched, with nothing kept
	Rounds    []Round    `json:"rounds"`
	Short     bool       `json:"short,omitempty"` // no search brought the interval of the searched half within the limit
	Examples  int        `json:"examples"`        // on which it is certified, none of which was searched
	Least     float64    `json:"least"`           // Upper if int8 predicted what fp32 does
	Score     *HalfScore `json:"score,omitempty"`
	Lower     float64    `json:"lower"` // of the drop, with Confidence
	Upper     float64    `json:"upper"`
	Interval  string     `json:"interval,omitempty"` // how it was found
	Certified bool       `json:"certified"`          // Upper is at most MaxDrop
	Needed    int        `json:"needed,omitempty"`   // examples, both halves, that would certify such a drop; 0 is that none would
	NothingIn bool       `json:"nothing_in_int8"`    // the search kept every matrix
	TooFew    bool       `json:"too_few,omitempty"`  // Least is more than MaxDrop, and nothing was searched
}

// AgreementMeasure is what Certificate.Measure is called without a task.
const AgreementMeasure = "agreement"

// Run searches and certifies. Where even a model without a changed prediction could not be certified, the examples being too
// few, it says so before a search, which would be in vain.
//
// From everything in int8 it keeps, as long as the drop exceeds the limit, the matrix whose restoration gains most, each being
// measured; then, as long as the upper end of the drop's interval does, as it would on the other half, that which lowers it most;
// and of those that gain as much the smallest. Where none gains, as no single one can where two of them spoil the answers, it
// keeps the one that brings the outputs nearest to those of fp32. If no choice brings the interval within the limit, the first is
// taken whose drop is. An error is of an engine or a task; a model that fails is a Certificate without Certified.
func (q *Quantization) Run(ctx context.Context) (*Certificate, error) {
	if !(q.MaxDrop >= 0 && q.MaxDrop < 100) {
		return nil, fmt.Errorf("evaluate: the largest drop is %v points, want 0 or more and less than 100", q.MaxDrop)
	}
	certify, err := q.half(ctx, q.Certify)
	if err != nil {
		return nil, err
	}
	c := &Certificate{Measure: certify.measure, MaxDrop: q.MaxDrop, Searched: len(q.Search.Examples), Examples: len(q.Certify.Examples), Keep: []string{}}
	p, interval, err := q.interval(ctx, certify, certify.reference)
	if err != nil {
		return nil, err
	}
	if c.Least = interval.Upper; c.Least > q.MaxDrop && !q.Anyway {
		c.TooFew, c.Needed = true, needed(p, 0, c.Least, q.MaxDrop, c.Examples)
		return c, nil
	}
	search, err := q.half(ctx, q.Search)
	if err != nil {
		return nil, err
	}
	if err := q.search(ctx, search, c); err != nil || c.NothingIn {
		return c, err
	}
	return c, q.certify(ctx, certify, c)
}

// interval is that of the drop on a half of a model that gives those answers.
func (q *Quantization) interval(ctx context.Context, h *half, a *answers) (paired, Interval, error) {
	p, err := q.pair(ctx, h, a)
	if err != nil {
		return nil, Interval{}, err
	}
	i, err := p.interval(ctx)
	return p, i, err
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
	_, least, err := q.interval(ctx, h, h.reference)
	if err != nil {
		return err
	}
	reachable := least.Upper <= q.MaxDrop // otherwise the drop alone is judged
	now, err := q.measureWith(ctx, h, c.Keep)
	if err != nil {
		return err
	}
	if reachable {
		if err := q.bound(ctx, h, now); err != nil {
			return err
		}
	}
	c.Whole = *now
	q.tell("all in int8", now)
	var first []string // kept when the drop was within the limit
	for {
		within := now.Drop <= q.MaxDrop+roundingOf
		if within && first == nil {
			first = c.Keep
		}
		enough := within && (now.Upper == nil || *now.Upper <= q.MaxDrop)
		if enough && (len(c.Rounds) > 0 || !q.Table) {
			return nil
		}
		round, err := q.round(ctx, h, c.Keep, now, reachable)
		if err != nil {
			return err
		}
		c.Rounds = append(c.Rounds, *round)
		if enough {
			return nil
		}
		if len(round.Restored) == 0 { // one matrix is left: without it the model is fp32
			if c.NothingIn = first == nil; !c.NothingIn {
				c.Short, c.Keep = true, first
			}
			return nil
		}
		best := round.Restored[0]
		c.Rounds[len(c.Rounds)-1].Chosen = best.Matrix
		c.Keep = append(slices.Clone(c.Keep), best.Matrix)
		now = &best.HalfScore
	}
}

// bound adds the upper end of the interval of a drop that is within the limit.
func (q *Quantization) bound(ctx context.Context, h *half, s *HalfScore) error {
	if s.Drop > q.MaxDrop+roundingOf {
		return nil
	}
	_, i, err := q.interval(ctx, h, s.answers)
	upper := max(i.Upper, s.Drop)
	s.Upper = &upper
	return err
}

func (q *Quantization) tell(what string, s *HalfScore) {
	if q.Tell != nil {
		q.Tell(what, s)
	}
}

// round restores in turn each matrix that is left, unless it is the last. Bounds are wanted where they can be within the limit.
func (q *Quantization) round(ctx context.Context, h *half, keep []string, now *HalfScore, bounds bool) (*Round, error) {
	round := &Round{Keep: keep, Drop: now.Drop, Upper: now.Upper, Restored: []Restored{}}
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
		if bounds {
			if err := q.bound(ctx, h, s); err != nil {
				return nil, err
			}
		}
		s.answers = nil
		round.Restored = append(round.Restored, Restored{m.Name, m.Saved, now.Drop - s.Drop, *s})
	}
	gain := func(r Restored) float64 { return r.Gain }
	if now.Upper != nil && *now.Upper > q.MaxDrop {
		gain = func(r Restored) float64 { // by which the upper end falls
			if r.Upper == nil {
				return math.Inf(-1)
			}
			return *now.Upper - *r.Upper
		}
	}
	slices.SortStableFunc(round.Restored, func(a, b Restored) int {
		if x, y := gain(a), gain(b); math.Abs(x-y) > roundingOf {
			return cmp.Compare(y, x)
		}
		return cmp.Compare(a.Saved, b.Saved)
	})
	if gain(round.Restored[0]) <= roundingOf {
		slices.SortStableFunc(round.Restored, func(a, b Restored) int { return cmp.Compare(a.Error, b.Error) })
	}
	return round, nil
}

// certify measures the model that the search found on the other half.
func (q *Quantization) certify(ctx context.Context, h *half, c *Certificate) error {
	s, err := q.measureWith(ctx, h, c.Keep)
	if err != nil {
		return err
	}
	c.Score = s
	p, interval, err := q.interval(ctx, h, s.answers)
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
