package train

import (
	"fmt"
	"math"
)

// Decay names how the learning rate falls after the warm-up.
type Decay string

const (
	// LinearDecay falls in a straight line from the peak at the end of the warm-up to 0 after the last step.
	LinearDecay Decay = "linear"
	// PolynomialDecay is Google's: peak·(1 - step/steps)^power over the whole run, which the warm-up replaces, so
	// that the rate drops a little where the warm-up ends.
	PolynomialDecay Decay = "polynomial"
	// ConstantDecay stays at the peak.
	ConstantDecay Decay = "constant"
)

// Schedule gives the learning rate of every step.
type Schedule struct {
	LearningRate float64 `json:"learning-rate"` // the peak
	Warmup       float64 `json:"warmup"`        // share of the steps in which the rate rises from 0
	Decay        Decay   `json:"decay"`
	Power        float64 `json:"power"` // of polynomial decay
}

func (s Schedule) validate() error {
	switch {
	case !(s.LearningRate > 0) || math.IsInf(s.LearningRate, 0):
		return fmt.Errorf("train: learning rate is %v, want a number above 0", s.LearningRate)
	case !(s.Warmup >= 0 && s.Warmup < 1):
		return fmt.Errorf("train: warm-up is %v, want a share of the steps: 0 or more and below 1", s.Warmup)
	case s.Decay != LinearDecay && s.Decay != PolynomialDecay && s.Decay != ConstantDecay:
		return fmt.Errorf("train: decay is %q, want %s, %s or %s", s.Decay, LinearDecay, PolynomialDecay, ConstantDecay)
	case s.Decay == PolynomialDecay && !(s.Power > 0):
		return fmt.Errorf("train: power is %v, want a number above 0", s.Power)
	}
	return nil
}

// At returns the learning rate of the update that follows step updates, out of steps. As in Google's and
// transformers' schedules the first update of a warm-up has rate 0.
func (s Schedule) At(step, steps int) float64 {
	warmup := s.WarmupSteps(steps)
	if step < warmup {
		return s.LearningRate * float64(step) / float64(warmup)
	}
	switch s.Decay {
	case LinearDecay:
		return s.LearningRate * float64(max(0, steps-step)) / float64(max(1, steps-warmup))
	case PolynomialDecay:
		return s.LearningRate * math.Pow(1-float64(min(step, steps))/float64(steps), s.Power)
	}
	return s.LearningRate
}

// WarmupSteps returns how many of steps are warm-up.
func (s Schedule) WarmupSteps(steps int) int { return int(math.Round(s.Warmup * float64(steps))) }
