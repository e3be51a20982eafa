package train

import (
	"math"
	"testing"
)

// Worked by hand from polynomial_decay and the warm-up of google-research/albert's optimization.py, and from
// get_linear_schedule_with_warmup of transformers.
func TestScheduleValues(t *testing.T) {
	google := Schedule{LearningRate: 0.00176, Warmup: 0.025, Decay: PolynomialDecay, Power: 1}
	linear := Schedule{LearningRate: 1, Warmup: 0.1, Decay: LinearDecay}
	square := Schedule{LearningRate: 1, Decay: PolynomialDecay, Power: 2}
	constant := Schedule{LearningRate: 0.5, Warmup: 0.2, Decay: ConstantDecay}
	for _, c := range []struct {
		schedule    Schedule
		step, steps int
		want        float64
	}{
		{google, 0, 125000, 0},
		{google, 1, 125000, 0.00176 / 3125},
		{google, 3124, 125000, 0.00176 * 3124 / 3125},
		{google, 3125, 125000, 0.00176 * 0.975}, // replaced, not multiplied: the rate drops here
		{google, 62500, 125000, 0.00088},
		{google, 125000, 125000, 0},
		{linear, 0, 100, 0},
		{linear, 5, 100, 0.5},
		{linear, 10, 100, 1},
		{linear, 55, 100, 0.5},
		{linear, 99, 100, 1. / 90},
		{linear, 100, 100, 0},
		{square, 0, 10, 1},
		{square, 5, 10, 0.25},
		{square, 9, 10, 0.01},
		{constant, 1, 10, 0.25},
		{constant, 2, 10, 0.5},
		{constant, 9, 10, 0.5},
	} {
		if got := c.schedule.At(c.step, c.steps); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s of %d steps: rate %v at step %d, want %v", c.schedule.Decay, c.steps, got, c.step, c.want)
		}
	}
}
