package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The score interval is that of its definition, with the most likely nuisance found by search instead of the quadratic, and the
// ends by walking instead of bisection.
func TestPairedIntervalIsTheScoreTest(t *testing.T) {
	z := 1.959963984540054
	for _, c := range [][3]float64{{3, 1, 50}, {0, 0, 40}, {7, 7, 100}, {12, 2, 50}, {0, 5, 80}, {1, 0, 436}} {
		worse, better, n := c[0], c[1], c[2]
		accepted := func(delta float64) bool {
			likelihood := func(q float64) float64 {
				l := 0.0
				for _, cell := range [][2]float64{{worse, q + delta}, {better, q}, {n - worse - better, 1 - 2*q - delta}} {
					if cell[0] > 0 {
						l += cell[0] * math.Log(max(cell[1], 1e-300))
					}
				}
				return l
			}
			low, high := max(0, -delta), (1-delta)/2
			for range 200 { // golden section: the likelihood is concave
				a, b := high-(high-low)*0.6180339887, low+(high-low)*0.6180339887
				if likelihood(a) < likelihood(b) {
					low = a
				} else {
					high = b
				}
			}
			q := (low + high) / 2
			return math.Abs(worse-better-n*delta) <= z*math.Sqrt(n*(2*q+delta*(1-delta)))
		}
		got, point := pairedInterval(worse, better, n), (worse-better)/n
		walk := func(step float64) float64 {
			at := point
			for accepted(at + step) {
				at += step
			}
			return at
		}
		if lower, upper := walk(-1e-5), walk(1e-5); math.Abs(got.Lower-lower) > 2e-5 || math.Abs(got.Upper-upper) > 2e-5 {
			t.Errorf("%v of %v worse, %v better: %v, the score test accepts %v to %v", worse, n, better, got, lower, upper)
		}
	}
}

// The upper end, which decides, is below the true drop as often as the confidence allows, or a little more where the
// examples that differ can be counted on the fingers: found exactly, by adding up the probabilities of all outcomes.
func TestPairedIntervalCovers(t *testing.T) {
	n := 120
	for _, c := range [][2]float64{{0.03, 0}, {0.03, 0.03}, {0.01, 0.005}, {0.1, 0.05}, {0.2, 0.2}, {0.02, 0.06}, {0.3, 0.05}} {
		covered, below := 0.0, 0.0
		for worse := range n + 1 {
			for better := range n + 1 - worse {
				p := trinomial(worse, better, n, c[0], c[1])
				if p < 1e-9 {
					continue
				}
				i := pairedInterval(float64(worse), float64(better), float64(n))
				if d := c[0] - c[1]; i.Lower <= d && d <= i.Upper {
					covered += p
				} else if i.Upper < d {
					below += p
				}
			}
		}
		if covered < 0.93 || below > 0.032 {
			t.Errorf("of %v worse and %v better, the interval covers %.4f, and its end is below the drop in %.4f", c[0], c[1], covered, below)
		}
	}
}

func trinomial(a, b, n int, pa, pb float64) float64 {
	logOf := func(k int, p float64) float64 {
		if k == 0 {
			return 0
		}
		return float64(k) * math.Log(p)
	}
	factorial := func(k int) float64 { l, _ := math.Lgamma(float64(k + 1)); return l }
	return math.Exp(factorial(n) - factorial(a) - factorial(b) - factorial(n-a-b) + logOf(a, pa) + logOf(b, pb) + logOf(n-a-b, 1-pa-pb))
}

// The ends of the exact interval are those at which so few, or so many, have a probability of a fortieth.
func TestExactIntervalIsTheBinomials(t *testing.T) {
	for _, c := range [][2]int{{0, 10}, {1, 436}, {5, 50}, {49, 50}, {50, 50}} {
		k, n := float64(c[0]), float64(c[1])
		i := exactInterval(k, n)
		if k < n {
			if p := (distuv.Binomial{N: n, P: i.Upper}).CDF(k); math.Abs(p-0.025) > 1e-9 {
				t.Errorf("%v of %v: at the upper end %v as few have a probability of %v", k, n, i.Upper, p)
			}
		} else if i.Upper != 1 {
			t.Errorf("%v of %v: the upper end is %v", k, n, i.Upper)
		}
		if k > 0 {
			if p := 1 - (distuv.Binomial{N: n, P: i.Lower}).CDF(k-1); math.Abs(p-0.025) > 1e-9 {
				t.Errorf("%v of %v: at the lower end %v as many have a probability of %v", k, n, i.Lower, p)
			}
		} else if i.Lower != 0 {
			t.Errorf("%v of %v: the lower end is %v", k, n, i.Lower)
		}
	}
}

// The bootstrap's upper end covers the drop of F1 of simulated models, also where int8 is hardly ever wrong and most samples
// show no difference.
func TestBootstrapCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	type example struct{ label, reference, got bool }
	f1 := func(examples []example, of func(example) bool) float64 {
		both, all := 0.0, 0.0
		for _, e := range examples {
			for _, is := range []bool{e.label, of(e)} {
				if is {
					all++
				}
			}
			if e.label && of(e) {
				both++
			}
		}
		return 200 * both / max(1, all)
	}
	drop := func(examples []example) float64 {
		return f1(examples, func(e example) bool { return e.reference }) - f1(examples, func(e example) bool { return e.got })
	}
	draw := func(n int, flips float64) []example {
		all := make([]example, n)
		for i := range all {
			e := &all[i]
			e.label = random.IntN(3) == 0
			e.reference = e.label != (random.Float64() < 0.1)
			e.got = e.reference != (random.Float64() < flips)
		}
		return all
	}
	for _, flips := range []float64{0.003, 0.03, 0.2} {
		truth := drop(draw(2_000_000, flips))
		covered, rounds := 0, 150
		for round := range rounds {
			sample := draw(200, flips)
			resampled := make([]example, len(sample))
			i, err := bootstrap(len(sample), uint64(round), func(places []int, harmed []bool) (float64, error) {
				for k, place := range places {
					if resampled[k] = sample[place]; harmed[k] {
						resampled[k].got = !resampled[k].reference
					}
				}
				return drop(resampled), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if truth <= i.Upper {
				covered++
			}
		}
		// 97.5 % are 146 of 150, with a standard deviation of 1.9.
		if covered < 140 {
			t.Errorf("of %v flipped, the upper end is at least the drop %.2f in %d of %d", flips, truth, covered, rounds)
		}
	}
}
