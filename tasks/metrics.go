package tasks

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// confusion counts examples by label and prediction: (labels, labels), the label chooses the row.
type confusion struct {
	counts [][]int
	total  int
}

func newConfusion(want, got []int, labels int) *confusion {
	m := &confusion{counts: make([][]int, labels), total: len(want)}
	for i := range m.counts {
		m.counts[i] = make([]int, labels)
	}
	for i := range want {
		m.counts[want[i]][got[i]]++
	}
	return m
}

// Accuracy is the share of predictions that are right.
func (m *confusion) Accuracy() float64 {
	right := 0
	for k := range m.counts {
		right += m.counts[k][k]
	}
	return ratio(right, m.total)
}

// ratio is a/b, and 0 where b is 0, as scikit-learn has it.
func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// margins returns how often k is the label, and how often it is predicted.
func (m *confusion) margins(k int) (label, predicted int) {
	for j := range m.counts {
		label += m.counts[k][j]
		predicted += m.counts[j][k]
	}
	return label, predicted
}

// F1 is the harmonic mean of precision and recall of label k: 2·tp / (labels + predictions).
func (m *confusion) F1(k int) float64 {
	label, predicted := m.margins(k)
	return ratio(2*m.counts[k][k], label+predicted)
}

// MacroF1 is the mean of F1 over the labels that occur or are predicted.
func (m *confusion) MacroF1() float64 {
	sum, n := 0.0, 0
	for k := range m.counts {
		if label, predicted := m.margins(k); label+predicted > 0 {
			sum += m.F1(k)
			n++
		}
	}
	return sum / float64(max(1, n))
}

// MicroF1 is F1 of all labels counted together, which is the accuracy where each example has one.
func (m *confusion) MicroF1() float64 { return m.Accuracy() }

// Matthews is the correlation of labels and predictions, of any number of labels (Gorodkin 2004):
//
//	(c·s − Σ pₖ·tₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²))
//
// c right of s, tₖ times label k, pₖ times predicted; 0 where the root is.
func (m *confusion) Matthews() float64 {
	s := float64(m.total)
	var c, pt, pp, tt float64
	for k := range m.counts {
		label, predicted := m.margins(k)
		c += float64(m.counts[k][k])
		pt += float64(predicted) * float64(label)
		pp += float64(predicted) * float64(predicted)
		tt += float64(label) * float64(label)
	}
	if root := math.Sqrt((s*s - pp) * (s*s - tt)); root > 0 {
		return (c*s - pt) / root
	}
	return 0
}

// multiLabelScores are F1 over all labels of all examples, the mean of each label's, and the share of examples whose
// labels are all right.
func multiLabelScores(want, got [][]bool) (micro, macro, subset float64) {
	right, sumTrue, sumBoth := 0, 0, 0
	labels := len(want[0])
	for i := range want {
		same := true
		for k := range want[i] {
			same = same && want[i][k] == got[i][k]
		}
		if same {
			right++
		}
	}
	for k := range labels {
		truePositive, both := 0, 0
		for i := range want {
			if want[i][k] && got[i][k] {
				truePositive++
			}
			if want[i][k] {
				both++
			}
			if got[i][k] {
				both++
			}
		}
		macro += ratio(2*truePositive, both) / float64(labels)
		sumTrue, sumBoth = sumTrue+truePositive, sumBoth+both
	}
	return ratio(2*sumTrue, sumBoth), macro, ratio(right, len(want))
}

// pearson is the correlation of x and y; 0 where one of them is constant.
func pearson(x, y []float64) float64 {
	if r := stat.Correlation(x, y, nil); !math.IsNaN(r) {
		return r
	}
	return 0
}

// spearman is the correlation of ranks; equal values share the mean of theirs.
func spearman(x, y []float64) float64 { return pearson(ranks(x), ranks(y)) }

func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	ranks := make([]float64, len(x))
	for begin := 0; begin < len(order); {
		end := begin + 1
		for end < len(order) && x[order[end]] == x[order[begin]] {
			end++
		}
		for _, i := range order[begin:end] {
			ranks[i] = float64(begin+end+1) / 2
		}
		begin = end
	}
	return ranks
}
