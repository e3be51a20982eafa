package train

import (
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"goalbert/tasks"
)

// curve is a run of that many steps whose loss falls from 9.
func curve(steps int) []Metrics {
	s := Schedule{LearningRate: 3e-3, Warmup: 0.1, Decay: LinearDecay}
	r := random(1, 0)
	var lines []Metrics
	for i := range steps + 1 {
		m := Metrics{Step: i, LearningRate: s.At(i, steps)}
		loss := 5.6 + 3.4*math.Exp(-6*float64(i)/float64(steps))
		accuracy := 0.5 + 0.3*float64(i)/float64(steps)
		if i > 0 {
			m.Scores = &Scores{MaskedLMLoss: loss + r.NormFloat64()/8,
				SentenceScores: &SentenceScores{SentenceAccuracy: accuracy + r.NormFloat64()/30}}
		}
		if i%(steps/10) == 0 {
			m.HeldOut = &Scores{MaskedLMLoss: loss + 0.1, SentenceScores: &SentenceScores{SentenceAccuracy: accuracy - 0.02}}
		}
		lines = append(lines, m)
	}
	return lines
}

// tuned is a fine-tuning whose score is best before its end.
func tuned(steps int) []Metrics {
	var lines []Metrics
	for i, m := range curve(steps) {
		if m.Scores, m.HeldOut = nil, nil; i > 0 {
			m.TaskScores = &TaskScores{Loss: 0.7 * math.Exp(-2*float64(i)/float64(steps))}
		}
		if i%(steps/10) == 0 {
			m.Dev = tasks.Scores{{Name: "accuracy", Value: 0.8 - 0.3*math.Pow(float64(i)/float64(steps)-0.7, 2)}}
		}
		lines = append(lines, m)
	}
	return lines
}

// The picture decodes as a PNG and has colours of every line; it is drawn for runs without any step too, and for long
// ones.
func TestDrawCurves(t *testing.T) {
	long := curve(5000)
	for name, lines := range map[string][]Metrics{
		"none": nil, "start": long[:1], "one step": long[:2], "long": long, "tuned": tuned(500), "tuned start": tuned(500)[:1],
	} {
		path := filepath.Join(t.TempDir(), CurvesFile)
		if keep := os.Getenv("KEEP_CURVES"); keep != "" {
			path = filepath.Join(keep, name+".png")
		}
		if err := DrawCurves(path, lines, CurveReferences{UnigramLoss: 6.1, MajoritySentence: 0.54}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name != "long" && name != "tuned" {
			continue
		}
		found := map[[3]uint32]bool{}
		for y := range picture.Bounds().Dy() {
			for x := range picture.Bounds().Dx() {
				r, g, b, _ := picture.At(x, y).RGBA()
				found[[3]uint32{r, g, b}] = true
			}
		}
		for _, c := range []interface{ RGBA() (r, g, b, a uint32) }{trainingColor, heldOutColor, referenceColor} {
			if name == "tuned" && c == referenceColor { // it has no reference
				continue
			}
			if r, g, b, _ := c.RGBA(); !found[[3]uint32{r, g, b}] {
				t.Errorf("no line has the colour %v", c)
			}
		}
	}
}

// With weights that sum to one, a constant stays what it is, from the first point on.
func TestSmoothKeepsAConstant(t *testing.T) {
	points := heldOutPoints(curve(200), func(*Scores) float64 { return 3 })
	for i, p := range smooth(points) {
		if math.Abs(p.Y-3) > 1e-12 || p.X != points[i].X {
			t.Errorf("point %d is %v, want 3", i, p)
		}
	}
}
