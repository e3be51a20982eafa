package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is how probable it is that an interval covers what it is of; outside lies as much on either side.
const Confidence = 0.95

// Interval is where the true drop of a score lies with Confidence, given that of a sample. All are shares or points, as the
// sample's is, and positive where int8 is worse.
type Interval struct{ Lower, Upper float64 }

// pairedInterval is that of the difference of two shares of the same n examples, of which the first is right and the second
// is not in worse, and the other way about in better: the differences Δ that the score test does not refuse,
//
//	|worse - better - nΔ| / √(n(2q + Δ(1-Δ))) ≤ z
//
// where q is the most likely probability of better, given Δ: the larger root of
//
//	2n·q² + ((2n-worse+better)Δ - worse - better)·q - better·Δ(1-Δ) = 0
//
// Unlike a bootstrap it is no point where no example differs: none of n is z²/(n+z²) or less, about 4/n.
//
// Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
// Statistics in Medicine 17 (1998); recommended by Fagerland, Lydersen and Laake, "Recommended tests and confidence
// intervals for paired binomial proportions", Statistics in Medicine 33 (2014).
func pairedInterval(worse, better, n float64) Interval {
	z := distuv.UnitNormal.Quantile((1 + Confidence) / 2)
	score := func(delta float64) float64 {
		b := (2*n-worse+better)*delta - worse - better
		q := (math.Sqrt(max(0, b*b+8*n*better*delta*(1-delta))) - b) / (4 * n)
		variance := n * (2*q + delta*(1-delta))
		distance := worse - better - n*delta
		if variance <= 0 { // at the ends, where there is but one outcome
			return math.Copysign(math.Inf(1), distance)
		}
		return distance / math.Sqrt(variance)
	}
	// The score falls with Δ.
	where := func(level, low, high float64) float64 {
		for range 100 {
			if middle := (low + high) / 2; score(middle) > level {
				low = middle
			} else {
				high = middle
			}
		}
		return (low + high) / 2
	}
	point := (worse - better) / n
	return Interval{where(z, -1, point), where(-z, point, 1)}
}

// exactInterval is that of a share of which count of n are seen.
//
// Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26
// (1934).
func exactInterval(count, n float64) Interval {
	tail := (1 - Confidence) / 2
	i := Interval{0, 1}
	if count > 0 {
		i.Lower = distuv.Beta{Alpha: count, Beta: n - count + 1}.Quantile(tail)
	}
	if count < n {
		i.Upper = distuv.Beta{Alpha: count + 1, Beta: n - count}.Quantile(1 - tail)
	}
	return i
}

// resamples is how many samples a bootstrap draws: of the 50 beyond an end the number varies by a seventh, and so the end by
// about a thirtieth of the interval.
const resamples = 2000

// bootstrap is the interval between the percentiles of drops of samples that are drawn from the one that is there, with
// replacement: drop is that of a sample of units, each as often as it is listed. Units are examples, or groups of them
// that are not independent.
//
// Drawn is besides, as if it were one more unit, a unit that int8 gets as wrong as can be: harmed says which places of the
// sample hold that. Without it, no error seen would be no error possible; with it, at the upper end, none of n is about
// 3/n, as it should be (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249, 1983).
//
// Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
func bootstrap(units int, seed uint64, drop func(sample []int, harmed []bool) (float64, error)) (Interval, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	drops := make([]float64, resamples)
	sample, harmed := make([]int, units), make([]bool, units)
	for i := range drops {
		for k := range sample {
			sample[k] = random.IntN(units + 1)
			if harmed[k] = sample[k] == units; harmed[k] {
				sample[k] = random.IntN(units)
			}
		}
		var err error
		if drops[i], err = drop(sample, harmed); err != nil {
			return Interval{}, err
		}
	}
	slices.Sort(drops)
	tail := int((1 - Confidence) / 2 * resamples)
	return Interval{drops[tail], drops[resamples-1-tail]}, nil
}
