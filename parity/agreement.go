package parity

import (
	"context"
	"fmt"
	"math"

	"goalbert/models"
	"goalbert/runtime"
)

// LeastAgreement is what a model of whole numbers must reach, unless the caller says otherwise. A weight of seven bits with a
// scale a row, whose largest is some four deviations, is off by 4/63/√12 = 1.8 % of the usual weight, an activation of eight
// bits over eight deviations on either side by as much: 2.6 % of a product, and by four bits in blocks of 32 8 %. A layer adds
// two products to the residual; over twelve layers that is at most √24 times as much, 13 % and 39 % of the hidden state: a
// cosine of 0.99 and 0.93. So features have at least 0.9, unless something else is wrong. Predictions have it with ties. What
// it is there to find, the collapse of onnxruntime issue 11701, is far below.
const LeastAgreement = 0.9

// tie is how near two logits may be, in deviations of the logits of a row, for the choice between them to be open: 13 % of
// noise in each is 18 % in the difference, of which this is 2.7 deviations. Without it a model of random weights, which is sure of
// nothing, would seem to disagree.
const tie = 0.5

// Agreement runs batches on a session and on the reference, a model of configuration c, and says how far they agree. A
// prediction, the arg max of a token's or sequence's logits, of a question's choices, of an answer's start or end, agrees where
// it is the reference's or a tie with it. Where there is no choice (features, a regression, intermediate values) it is the
// cosine of each row, where several labels may hold at once the side of each logit.
//
// Least is what is demanded of the mean. Predictions are a sample: of n of them that agree with probability least, the share that
// does has the deviation √(least·(1−least)/n), and may be three of these below. A finding's share is (1 − agreement)/(1 − what
// is wanted).
func Agreement(ctx context.Context, reference, session runtime.Session, batches []Batch, c models.Config, least float64) ([]Finding, error) {
	findings := newFindings(reference, session)
	sums := make([]agreement, len(findings))
	err := runBoth(ctx, reference, session, batches, func(b Batch, got, want map[string]runtime.Tensor) error {
		for i := range findings {
			f := &findings[i]
			g, w, err := outputValues(f.Tensor, b, got, want)
			if err != nil {
				f.differs(err)
				continue
			}
			for j := range w {
				f.MaxAbs = max(f.MaxAbs, min(math.Abs(float64(g[j])-float64(w[j])), infinite))
			}
			f.Elements += len(w)
			sums[i].addOutput(f.Tensor, c, b, want[f.Tensor].Shape, g, w)
		}
		return nil
	})
	for i := range findings {
		findings[i].judge(&sums[i], least)
	}
	return findings, err
}

// judge sets what a sum says of f.
func (f *Finding) judge(a *agreement, least float64) {
	if !f.OK {
		return
	}
	if a.what == argMax {
		a.choices()
	}
	mean := a.sum / a.count
	if a.what == cosine && a.count == 0 { // a column: its cosine as a whole
		mean, a.count = a.column(), 1
	}
	if math.IsNaN(mean) { // no rows, or an output that is no number
		mean = 0
	}
	f.Agreement = &mean
	wanted := least
	if a.what != cosine && a.count > 0 {
		wanted = max(0, least-3*math.Sqrt(least*(1-least)/a.count))
	}
	f.OK = mean >= wanted
	switch {
	case mean == 1:
		f.Share = 0
	case wanted < 1:
		f.Share = (1 - mean) / (1 - wanted)
	default:
		f.Share = infinite
	}
	f.Worst = fmt.Sprintf("%s: %.4f in the mean of %.0f, want %.4f", a.what, mean, a.count, wanted)
	if a.what == argMax {
		f.Worst += fmt.Sprintf("; another one is chosen in %d", a.others)
	}
}

// What agreement is measured by.
const (
	argMax = "arg max"
	sides  = "labels on the same side"
	cosine = "cosine"
)

// agreement is a sum over predictions.
type agreement struct {
	what       string
	sum, count float64

	dot, squareGot, squareWant float64 // of an output of one column

	gaps    []float64 // of rows of choices: by how much the reference's choice is above the other's, in its own logits
	squares float64   // of the reference's logits about their row's mean
	logits  int
	others  int // rows in which another one is chosen
}

// addOutput adds an output's values at attended positions.
func (a *agreement) addOutput(name string, c models.Config, b Batch, shape []int, got, want []float32) {
	columns := shape[len(shape)-1]
	switch {
	case name == models.StartLogits || name == models.EndLogits:
		a.what = argMax
		at := 0
		for row := 0; row < len(b.mask); row += b.length {
			n := 0
			for _, shown := range b.mask[row : row+b.length] {
				n += int(shown)
			}
			a.addChoice(got[at:at+n], want[at:at+n])
			at += n
		}
		return
	case c.Architecture == models.ForMultipleChoice && name == models.Logits:
		a.what = argMax
		if len(want) < shape[0]*columns { // some choices are not compared
			columns = len(want)
		}
		for i := 0; i < len(want); i += columns {
			a.addChoice(got[i:i+columns], want[i:i+columns])
		}
		return
	case c.Architecture == models.ForSequenceClassification && c.Problem() == models.MultiLabel && name == models.Logits:
		a.what = sides
		for i := range want {
			a.add(indicator(got[i] > 0 == (want[i] > 0)))
		}
		return
	case columns == 1:
		a.what = cosine
		a.addColumn(got, want)
		return
	case name == models.Logits || name == models.PredictionLogits || name == models.SOPLogits:
		a.what = argMax
		for i := 0; i < len(want); i += columns {
			a.addChoice(got[i:i+columns], want[i:i+columns])
		}
		return
	}
	a.what = cosine
	for i := 0; i < len(want); i += columns {
		var row agreement
		row.addColumn(got[i:i+columns], want[i:i+columns])
		a.add(row.column())
	}
}

func (a *agreement) add(v float64) { a.sum, a.count = a.sum+v, a.count+1 }

// addChoice adds a row of which the largest is chosen, where there are two at least.
func (a *agreement) addChoice(got, want []float32) {
	if len(want) < 2 {
		return
	}
	mean := 0.0
	for _, v := range want {
		mean += float64(v) / float64(len(want))
	}
	for _, v := range want {
		a.squares += (float64(v) - mean) * (float64(v) - mean)
	}
	a.logits += len(want)
	choice, gap := largest(got), math.Inf(1)
	if choice >= 0 {
		gap = float64(want[largest(want)]) - float64(want[choice])
	}
	a.gaps = append(a.gaps, gap)
}

// choices adds the rows of addChoice: a row agrees where the reference is not surer of its own choice than a tie.
func (a *agreement) choices() {
	deviation := math.Sqrt(a.squares / float64(a.logits))
	for _, gap := range a.gaps {
		a.add(indicator(gap <= tie*deviation))
		if gap > 0 {
			a.others++
		}
	}
}

// largest returns the index of the largest value; -1 where one is NaN.
func largest(values []float32) int {
	at := 0
	for i, v := range values {
		if v != v {
			return -1
		}
		if v > values[at] {
			at = i
		}
	}
	return at
}

func (a *agreement) addColumn(got, want []float32) {
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		a.dot, a.squareGot, a.squareWant = a.dot+g*w, a.squareGot+g*g, a.squareWant+w*w
	}
}

// column is the cosine of what addColumn has seen.
func (a *agreement) column() float64 { return a.dot / math.Sqrt(a.squareGot*a.squareWant) }

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
