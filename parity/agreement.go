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
// two products to the residual; over twelve layers that is at most √24 times as much, 13 % and 39 % of what varies in the
// hidden state. Noise of a share s of a signal leaves a concordance of 2/(2+s²): 0.99 and 0.93. So features have at least 0.9,
// unless something else is wrong. Predictions have it with ties. What it is there to find, the collapse of onnxruntime issue
// 11701, is far below.
const LeastAgreement = 0.9

// tie is how near two logits may be, in deviations of the logits of a row, for the choice between them to be open: 13 % of
// noise in each is 18 % in the difference, of which this is 2.7 deviations. Without it a model of random weights, which is sure of
// nothing, would seem to disagree. One logit and a border that is fixed have 1/√2 of that between them.
const tie = 0.5

// Agreement runs batches on a session and on the reference, a model of configuration c, and says how far they agree. It is
// measured so that an engine that says the same whatever it is given does not agree.
//
//   - Of a choice, the arg max of a token's or sequence's logits, of a question's choices, of an answer's start or end, the side
//     of 0 of each of several labels, it is Cohen's kappa, (p - e)/(1 - e): p is the share in which the choice is the reference's,
//     and e what p would be if the two chose independently, each as often as it does, of each label by itself (Cohen, "A
//     coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 1960). Where the reference
//     holds several for nearly equal there is a tie, which is not counted.
//   - Where there is no choice (features, a regression, intermediate values) it is the concordance of what varies,
//     2·Σ(g-ḡ)(w-w̄)/(Σ(g-ḡ)² + Σ(w-w̄)² + n(ḡ-w̄)²), each mean that of its column: a correlation that falls with a wrong size or
//     mean too (Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45, 1989).
//
// Least is what is demanded. Choices are a sample: of n of them that agree with probability q, the share that does has the
// deviation √(q(1-q)/n), and may be three of these below. Where the reference says too much the same for that to tell, one class
// of nearly all, the logits are judged as numbers; if they are too noisy although the choices are the same, or the reference
// gives but one number, the finding is Unproven. A finding's share is (1 - agreement)/(1 - what is wanted).
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
			f.measure(g, w)
			sums[i].addOutput(f.Tensor, c, b, want[f.Tensor].Shape, g, w)
		}
		return nil
	})
	for i := range findings {
		findings[i].judge(&sums[i], least)
	}
	return findings, err
}

// Predictions says how far two engines agree on the examples of a task, by their outputs as evaluate.Outputs has them of a model
// of configuration c: see Agreement.
func Predictions(subject, against, name string, c models.Config, got, want [][]float32, least float64) Finding {
	f := Finding{Subject: subject, Against: against, Tensor: name, OK: true}
	var a agreement
	for i := range want {
		f.measure(got[i], want[i])
		a.addPrediction(c, got[i], want[i])
	}
	f.judge(&a, least)
	return f
}

// measure adds values to f's largest difference.
func (f *Finding) measure(got, want []float32) {
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); d > f.MaxAbs || math.IsNaN(d) {
			f.MaxAbs = finite(d)
		}
	}
	f.Elements += len(want)
}

func finite(x float64) float64 {
	if math.IsNaN(x) {
		return infinite
	}
	return min(x, infinite)
}

// judge sets what a sum says of f.
func (f *Finding) judge(a *agreement, least float64) {
	if !f.OK {
		return
	}
	v := a.verdict(least)
	f.Agreement, f.OK, f.Unproven, f.Worst = &v.agreement, v.unproven || v.agreement >= v.wanted, v.unproven, v.says
	switch {
	case v.agreement == 1 || v.unproven:
		f.Share = 0
	case v.wanted < 1:
		f.Share = (1 - v.agreement) / (1 - v.wanted)
	default:
		f.Share = infinite
	}
}

// verdict is an agreement, and what is wanted of it.
type verdict struct {
	agreement, wanted float64
	says              string
	unproven          bool
}

// What agreement is measured by.
const (
	choosing    = "choices"
	concordance = "concordance"
)

// agreement is a sum over an output.
type agreement struct {
	what string // how it is measured, where the reference says enough for that

	choices []choice
	squares float64 // of the reference's logits about their row's mean, or of labels' about 0
	logits  int

	columns columns
}

// choice is what is chosen in a row.
type choice struct {
	label     int // of several that may hold at once, the one that the choice is about
	got, want int
	margin    float64 // by how much the reference's choice is above the next best, in its own logits
}

// addOutput adds an output's values at attended positions.
func (a *agreement) addOutput(name string, c models.Config, b Batch, shape []int, got, want []float32) {
	width := shape[len(shape)-1]
	switch {
	case name == models.StartLogits || name == models.EndLogits:
		at := 0
		for row := 0; row < len(b.mask); row += b.length {
			n := 0
			for _, shown := range b.mask[row : row+b.length] {
				n += int(shown)
			}
			a.addChoice(got[at:at+n], want[at:at+n])
			at += n
		}
		a.columns.add(1, got, want)
	case c.Architecture == models.ForMultipleChoice && name == models.Logits:
		if len(want) < shape[0]*width { // some choices are not compared
			width = len(want)
		}
		a.addChoices(width, got, want)
		a.columns.add(1, got, want)
	case name == models.Logits && isMultiLabel(c):
		a.addSides(width, got, want)
		a.columns.add(width, got, want)
	case width > 1 && (name == models.Logits || name == models.PredictionLogits || name == models.SOPLogits):
		a.addChoices(width, got, want)
		a.columns.add(width, got, want)
	default:
		a.what = concordance
		a.columns.add(width, got, want)
	}
}

// addPrediction adds the output of a feature of a task.
func (a *agreement) addPrediction(c models.Config, got, want []float32) {
	labels := c.Labels.Len()
	switch {
	case c.Architecture == models.ForQuestionAnswering: // (tokens, 2)
		for end := range 2 {
			a.addChoice(strided(got, 2, end), strided(want, 2, end))
		}
		a.columns.add(2, got, want)
	case c.Architecture == models.ForMultipleChoice:
		a.addChoice(got, want)
		a.columns.add(1, got, want)
	case isMultiLabel(c):
		a.addSides(labels, got, want)
		a.columns.add(labels, got, want)
	case c.Architecture.HasLabels() && labels > 1:
		a.addChoices(labels, got, want)
		a.columns.add(labels, got, want)
	default: // a value; an embedding of each sentence
		a.what = concordance
		width := 1
		if c.Architecture == models.BaseModel {
			width = c.HiddenSize
		}
		a.columns.add(width, got, want)
	}
}

func isMultiLabel(c models.Config) bool {
	return c.Architecture == models.ForSequenceClassification && c.Problem() == models.MultiLabel
}

// strided is a column of a matrix of that width.
func strided(values []float32, width, column int) []float32 {
	var out []float32
	for i := column; i < len(values); i += width {
		out = append(out, values[i])
	}
	return out
}

// verdict judges the sum.
func (a *agreement) verdict(least float64) verdict {
	byNoise := a.columns.verdict(least)
	if a.what == concordance {
		return byNoise
	}
	v, enough := a.kappa(least)
	switch {
	case enough || v.agreement < v.wanted: // however little the reference says, it is not that
		return v
	case byNoise.unproven || byNoise.agreement < byNoise.wanted:
		v.unproven = true
		v.says += "; as numbers: " + byNoise.says
		return v
	}
	byNoise.says += " (" + v.says + ")"
	return byNoise
}

func (a *agreement) addChoices(width int, got, want []float32) {
	for i := 0; i < len(want); i += width {
		a.addChoice(got[i:i+width], want[i:i+width])
	}
}

// addChoice adds a row of which the largest is chosen, where there are two at least.
func (a *agreement) addChoice(got, want []float32) {
	a.what = choosing
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
	c := choice{got: largest(got), want: largest(want), margin: math.Inf(1)}
	for i, v := range want {
		if i != c.want {
			c.margin = min(c.margin, float64(want[c.want])-float64(v))
		}
	}
	a.choices = append(a.choices, c)
}

// addSides adds rows of logits that each say whether a label holds. They are as far from 0 as two logits of 1/√2 of the noise
// are from each other.
func (a *agreement) addSides(labels int, got, want []float32) {
	a.what = choosing
	for i, w := range want {
		a.squares, a.logits = a.squares+float64(w)*float64(w), a.logits+1
		a.choices = append(a.choices, choice{label: i % labels, got: side(got[i]), want: side(w), margin: math.Sqrt2 * math.Abs(float64(w))})
	}
}

// side is whether a label holds: 1 or 0, or -1 of NaN.
func side(logit float32) int {
	switch {
	case logit != logit:
		return -1
	case logit > 0:
		return 1
	}
	return 0
}

// kappa judges the choices, and reports whether the reference's are different enough: an engine that always makes the most
// frequent of them must not pass.
func (a *agreement) kappa(least float64) (v verdict, enough bool) {
	open := tie * math.Sqrt(a.squares/float64(max(a.logits, 1)))
	type made struct{ label, choice int }
	got, want, each := map[made]float64{}, map[made]float64{}, map[int]float64{}
	n, same, ties := 0.0, 0.0, 0
	for _, c := range a.choices {
		if c.margin <= open {
			ties++
			continue
		}
		n++
		each[c.label]++
		got[made{c.label, c.got}]++
		want[made{c.label, c.want}]++
		if c.got == c.want {
			same++
		}
	}
	if n == 0 {
		return verdict{agreement: 1, says: fmt.Sprintf("%s: all of %d are ties", choosing, ties)}, false
	}
	chance, most := 0.0, map[int]float64{}
	for m, count := range want {
		chance += count * got[m] / each[m.label] / n
		most[m.label] = max(most[m.label], count)
	}
	usual := 0.0 // how many the most frequent choices are right in
	for _, count := range most {
		usual += count
	}
	v.says = fmt.Sprintf("%s: %.0f of %.0f are others, and %d are ties", choosing, n-same, n, ties)
	if least == 0 || atLeast(least, usual/n, n) > usual/n {
		enough = chance < 1
	}
	if !enough {
		v.says += fmt.Sprintf("; native itself makes the same in %.0f, which proves little", usual)
		v.agreement, v.wanted = same/n, max(0, atLeast(least, usual/n, n))
		return v, false
	}
	v.agreement = max(0, (same/n-chance)/(1-chance))
	v.wanted = max(0, (atLeast(least, chance, n)-chance)/(1-chance))
	v.says += fmt.Sprintf(": %.4f beyond chance, want %.4f", v.agreement, v.wanted)
	return v, true
}

// atLeast is the share of n choices that must agree for one of least beyond chance, less three deviations.
func atLeast(least, chance, n float64) float64 {
	share := least*(1-chance) + chance
	return share - 3*math.Sqrt(share*(1-share)/n)
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

// columns are sums over the columns of a matrix, taken about its first row, so that a large mean costs no digits.
type columns struct {
	rows                         float64
	first                        []float64
	got, want                    []float64 // sums
	gotSquares, wantSquares, all float64   // all are the reference's squares about 0
	products                     float64
}

func (c *columns) add(width int, got, want []float32) {
	if c.first == nil && len(want) >= width {
		c.first, c.got, c.want = make([]float64, width), make([]float64, width), make([]float64, width)
		for k := range c.first {
			c.first[k] = float64(want[k])
		}
	}
	for i := range want {
		k := i % width
		g, w := float64(got[i])-c.first[k], float64(want[i])-c.first[k]
		c.got[k], c.want[k] = c.got[k]+g, c.want[k]+w
		c.gotSquares, c.wantSquares, c.products = c.gotSquares+g*g, c.wantSquares+w*w, c.products+g*w
		c.all += float64(want[i]) * float64(want[i])
	}
	c.rows += float64(len(want) / width)
}

// constant is the share of a value by which it may vary and be the same, in float32.
const constant = 1e-6

// verdict judges what varies.
func (c *columns) verdict(least float64) verdict {
	got, want, both, apart := c.gotSquares, c.wantSquares, c.products, 0.0
	for k := range c.first {
		got -= c.got[k] * c.got[k] / c.rows
		want -= c.want[k] * c.want[k] / c.rows
		both -= c.got[k] * c.want[k] / c.rows
		apart += (c.got[k] - c.want[k]) * (c.got[k] - c.want[k]) / c.rows
	}
	if want <= constant*constant*c.all || c.rows == 0 {
		return verdict{agreement: 1, unproven: least > 0, says: "native's values are all the same, which proves nothing"}
	}
	v := verdict{agreement: max(0, 2*both/(got+want+apart)), wanted: least}
	if math.IsNaN(got+both+apart) || math.IsInf(got+both+apart, 0) {
		v.agreement = 0
	}
	v.says = fmt.Sprintf("%s: %.4f, want %.4f", concordance, v.agreement, v.wanted)
	return v
}
