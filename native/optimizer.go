package native

import (
	"fmt"
	"math"
	"slices"

	"goalbert/models"
	"goalbert/native/kernel"
)

// optimizer holds the moments of AdamW and LAMB, in the table's flat order.
type optimizer struct {
	table   *models.Parameters
	trained []*models.Parameter // in the flat order; the others stay as they are
	m, v    []float32           // (Size): running means of the gradient and of its square
	step    int                 // updates done

	ranges   []trainedRange
	partials []float64 // of a sum over blocks
}

// trainedRange is trained parameters that lie side by side, all of them decayed or none.
type trainedRange struct {
	lo, hi  int
	decayed bool
}

func newOptimizer(table *models.Parameters, trained []*models.Parameter) *optimizer {
	o := &optimizer{
		table: table, trained: trained, m: make([]float32, table.Size), v: make([]float32, table.Size),
		partials: make([]float64, blocksOf(table.Size).count()),
	}
	for _, q := range trained {
		lo, hi := q.Offset, q.Offset+q.Size()
		if last := len(o.ranges) - 1; last >= 0 && o.ranges[last].hi == lo && o.ranges[last].decayed == q.Decayed {
			o.ranges[last].hi = hi
		} else {
			o.ranges = append(o.ranges, trainedRange{lo, hi, q.Decayed})
		}
	}
	return o
}

// update changes weights by one step of h, given the gradient, which it zeroes, and returns the gradient's global norm.
// Where that is not finite the weights are not changed.
func (o *optimizer) update(p *pool, weights, grad []float32, h models.Hyperparameters) (norm float64, err error) {
	if h.Optimizer != models.AdamW && h.Optimizer != models.LAMB {
		return 0, fmt.Errorf("native: unknown optimizer %q; want %s or %s", h.Optimizer, models.AdamW, models.LAMB)
	}
	norm = math.Sqrt(o.sumSquaresOfTrained(p, grad))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, fmt.Errorf("native: step %d: the gradient's norm is %v, the weights are left as they were", o.step+1, norm)
	}
	o.step++
	clip := 1.0
	if h.MaxGradNorm > 0 && norm > h.MaxGradNorm {
		clip = h.MaxGradNorm / norm // as tf.clip_by_global_norm
	}
	if h.Optimizer == models.LAMB {
		o.lamb(p, weights, grad, h, clip)
	} else {
		o.adamW(p, weights, grad, h, clip)
	}
	return norm, nil
}

// adamW updates range by range: of the flat order, where all is trained, the decayed tensors and then the others, whose
// weight decay is 0. It zeroes the gradient.
func (o *optimizer) adamW(p *pool, weights, grad []float32, h models.Hyperparameters, clip float64) {
	for _, part := range o.ranges {
		lo, hi, decay := part.lo, part.hi, 0.0
		if part.decayed {
			decay = h.WeightDecay
		}
		run(p, blocksOf(hi-lo).count(), adamWBlocks{weights[lo:hi], o.m[lo:hi], o.v[lo:hi], grad[lo:hi], kernel.AdamWStep{
			LearningRate: h.LearningRate, Beta1: h.Beta1, Beta2: h.Beta2, Epsilon: h.Epsilon,
			WeightDecay: decay, BiasCorrection: h.BiasCorrection, Step: o.step, GradScale: clip,
		}})
	}
}

type adamWBlocks struct {
	w, m, v, g []float32
	step       kernel.AdamWStep
}

func (p *adamWBlocks) do(_, i int) {
	s := blocksOf(len(p.g)).at(i)
	g := p.g[s.lo:s.hi]
	kernel.AdamW(p.w[s.lo:s.hi], p.m[s.lo:s.hi], p.v[s.lo:s.hi], g, p.step)
	clear(g)
}

// lamb updates tensor by tensor, since each has a trust ratio of its own: ‖w‖/‖update‖ for decayed tensors, 1 for the
// others and where a norm is zero. The update replaces the gradient, which is zeroed at last.
func (o *optimizer) lamb(p *pool, weights, grad []float32, h models.Hyperparameters, clip float64) {
	for _, q := range o.trained {
		lo, hi := q.Offset, q.Offset+q.Size()
		step := kernel.LAMBStep{Beta1: h.Beta1, Beta2: h.Beta2, Epsilon: h.Epsilon, GradScale: clip}
		if q.Decayed {
			step.WeightDecay = h.WeightDecay
		}
		w, update := weights[lo:hi], grad[lo:hi]
		run(p, blocksOf(len(w)).count(), lambBlocks{update, w, o.m[lo:hi], o.v[lo:hi], step})
		ratio := 1.0
		if q.Decayed {
			weightNorm, updateNorm := math.Sqrt(o.sumSquares(p, w)), math.Sqrt(o.sumSquares(p, update))
			if weightNorm > 0 && updateNorm > 0 {
				ratio = weightNorm / updateNorm
			}
		}
		run(p, blocksOf(len(w)).count(), subtractBlocks{w, update, float32(-h.LearningRate * ratio)})
	}
}

type lambBlocks struct {
	update, w, m, v []float32
	step            kernel.LAMBStep
}

func (p *lambBlocks) do(_, i int) {
	s := blocksOf(len(p.w)).at(i)
	g := p.update[s.lo:s.hi]
	kernel.LAMBUpdate(g, p.w[s.lo:s.hi], p.m[s.lo:s.hi], p.v[s.lo:s.hi], g, p.step)
}

type subtractBlocks struct {
	w, update []float32
	factor    float32
}

func (p *subtractBlocks) do(_, i int) {
	s := blocksOf(len(p.w)).at(i)
	update := p.update[s.lo:s.hi]
	kernel.Axpy(p.factor, update, p.w[s.lo:s.hi])
	clear(update)
}

// sumSquaresOfTrained is sumSquares over what is trained: the whole, or range by range.
func (o *optimizer) sumSquaresOfTrained(p *pool, x []float32) float64 {
	if len(o.trained) == len(o.table.Order) {
		return o.sumSquares(p, x)
	}
	sum := 0.0
	for _, part := range o.ranges {
		sum += o.sumSquares(p, x[part.lo:part.hi])
	}
	return sum
}

// sumSquares returns Σ x² in float64, block by block.
func (o *optimizer) sumSquares(p *pool, x []float32) float64 {
	n := blocksOf(len(x)).count()
	partials := o.partials[:n]
	run(p, n, sumSquaresBlocks{x, partials})
	sum := 0.0
	for _, s := range partials {
		sum += s
	}
	return sum
}

type sumSquaresBlocks struct {
	x        []float32
	partials []float64
}

func (p *sumSquaresBlocks) do(_, i int) {
	s := blocksOf(len(p.x)).at(i)
	p.partials[i] = kernel.SumSquares(p.x[s.lo:s.hi])
}

// Names in the file of the optimizer's state: these before a parameter's name, as torch.optim calls them, and the
// number of updates.
const (
	firstMoment  = "exp_avg."
	secondMoment = "exp_avg_sq."
	stepTensor   = "step"
)

// tensors returns the state as tensors of a file.
func (o *optimizer) tensors() []models.NamedTensor {
	tensors := []models.NamedTensor{{Name: stepTensor, Shape: []int{1}, Data: []float32{float32(o.step)}}}
	for _, moment := range o.moments() {
		for _, q := range o.trained {
			tensors = append(tensors, models.NamedTensor{
				Name: moment.prefix + q.Name, Shape: q.Shape, Data: moment.flat[q.Offset : q.Offset+q.Size()],
			})
		}
	}
	return tensors
}

type moment struct {
	prefix string
	flat   []float32
}

func (o *optimizer) moments() []moment { return []moment{{firstMoment, o.m}, {secondMoment, o.v}} }

// setTensors fills the state from the tensors of a file. Nothing is changed unless all of them fit.
func (o *optimizer) setTensors(tensors map[string]models.SafeTensor) error {
	loaded := newOptimizer(o.table, o.trained)
	read := func(name string, shape []int, to []float32) error {
		t, ok := tensors[name]
		if !ok || !slices.Equal(t.Shape, shape) {
			return fmt.Errorf("tensor %s has shape %v, want %v; it is the state of another model", name, t.Shape, shape)
		}
		values, err := t.Float32s()
		if err != nil {
			return fmt.Errorf("tensor %s %w", name, err)
		}
		copy(to, values)
		return nil
	}
	step := []float32{0}
	if err := read(stepTensor, []int{1}, step); err != nil {
		return err
	}
	for _, moment := range loaded.moments() {
		for _, q := range o.trained {
			if err := read(moment.prefix+q.Name, q.Shape, moment.flat[q.Offset:q.Offset+q.Size()]); err != nil {
				return err
			}
		}
	}
	loaded.step = int(step[0])
	*o = *loaded
	return nil
}
