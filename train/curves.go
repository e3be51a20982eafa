package train

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"goalbert/models"
)

// CurveReferences are the dashed lines of the curves; 0 is none.
type CurveReferences struct {
	UnigramLoss      float64 // in nats
	MajoritySentence float64 // accuracy of always answering the commoner label
}

func (r *run) curveReferences() CurveReferences {
	return CurveReferences{UnigramLoss: r.plan.UnigramLoss, MajoritySentence: r.plan.MajoritySentence}
}

// Colours that differ for colour-blind readers too (Okabe and Ito).
var (
	trainingColor  = color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}
	heldOutColor   = color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}
	referenceColor = color.RGBA{R: 0x50, G: 0x50, B: 0x50, A: 0xff}
	gridColor      = color.RGBA{R: 0xe4, G: 0xe4, B: 0xe4, A: 0xff}
)

// most points of a line; more cannot be told apart
const curvePoints = 1000

// DrawCurves draws the metrics of a run as a PNG: of pre-training the masked-LM loss and sentence accuracy if there is one,
// of fine-tuning the loss and the score that decides, of both the learning rate.
func DrawCurves(path string, lines []Metrics, references CurveReferences) error {
	var steps []Metrics // those of optimizer steps
	for _, m := range lines {
		if _, step := m.loss(); step {
			steps = append(steps, m)
		}
	}
	var panels []panel
	if slices.ContainsFunc(lines, func(m Metrics) bool { return m.TaskScores != nil || m.Dev != nil }) {
		panels = append(panels, panel{taskPanel(steps), 8})
		if points, name := devPoints(lines); len(points) > 0 {
			panels = append(panels, panel{devPanel(points, name), 8})
		}
	} else {
		panels = append(panels, panel{lossPanel(lines, steps, references), 10})
	}
	if slices.ContainsFunc(lines, hasSentences) {
		panels = append(panels, panel{sentencePanel(lines, steps, references), 7})
	}
	panels = append(panels, panel{learningRatePanel(steps), 5})
	return models.WriteFile(path, func(w io.Writer) error { return writePanels(w, panels) })
}

func hasSentences(m Metrics) bool {
	return m.Scores != nil && m.SentenceScores != nil || m.HeldOut != nil && m.HeldOut.SentenceScores != nil
}

// writePanels draws one panel below the other, each as high as its share, with their left edges aligned.
func writePanels(w io.Writer, panels []panel) error {
	const width, row, gap = 24 * vg.Centimeter, 1 * vg.Centimeter, 0.4 * vg.Centimeter
	height := gap
	for _, p := range panels {
		height += row * p.rows
	}
	image := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(110))}
	all := draw.New(image)
	left, top := vg.Length(0), all.Max.Y-gap
	areas := make([]draw.Canvas, len(panels))
	for i, p := range panels {
		areas[i] = draw.Canvas{Canvas: all.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: all.Min.X + gap, Y: top - row*p.rows + gap}, Max: vg.Point{X: all.Max.X - 2*gap, Y: top},
		}}
		left = max(left, p.DataCanvas(areas[i]).Min.X)
		top -= row * p.rows
	}
	for i, p := range panels {
		areas[i].Min.X += left - p.DataCanvas(areas[i]).Min.X
		p.Draw(areas[i])
	}
	_, err := image.WriteTo(w)
	return err
}

// panel is a plot and its height.
type panel struct {
	*plot.Plot
	rows vg.Length
}

func newPanel(title, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text, p.X.Label.Text = title, y, "step"
	p.Title.TextStyle.Font.Size = 13
	p.Title.Padding = 6
	p.X.Min = 0
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	p.Legend.Top = true
	p.Legend.Padding = 2
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = gridColor, gridColor
	p.Add(grid)
	return p
}

func lossPanel(lines, steps []Metrics, references CurveReferences) *plot.Plot {
	p := newPanel("masked LM", "loss, nats a token")
	loss := func(s *Scores) float64 { return s.MaskedLMLoss }
	addTraining(p, steps, func(m Metrics) float64 { return loss(m.Scores) })
	addHeldOut(p, heldOutPoints(lines, loss), "held out %.2f")
	addReference(p, references.UnigramLoss, lines, "unigram reference %.2f")
	return p
}

func sentencePanel(lines, steps []Metrics, references CurveReferences) *plot.Plot {
	p := newPanel("sentence objective", "accuracy, %")
	accuracy := func(s *Scores) float64 {
		if s.SentenceScores == nil {
			return 0
		}
		return 100 * s.SentenceAccuracy
	}
	addTraining(p, steps, func(m Metrics) float64 { return accuracy(m.Scores) })
	addHeldOut(p, heldOutPoints(lines, accuracy), "held out %.1f %%")
	if m := 100 * references.MajoritySentence; m > 50 {
		addReference(p, m, lines, "commoner label %.1f %%")
	}
	addReference(p, 50, lines, "chance %.0f %%")
	p.Y.Min, p.Y.Max = min(p.Y.Min, 40), 100
	p.Legend.Left = true
	return p
}

// taskPanel is the loss of fine-tuning.
func taskPanel(steps []Metrics) *plot.Plot {
	p := newPanel("fine-tuning", "loss")
	addTraining(p, steps, func(m Metrics) float64 { return m.Loss })
	p.Y.Min = min(p.Y.Min, 0)
	return p
}

// devPoints are the score that decides which checkpoint is the best, and its name.
func devPoints(lines []Metrics) (points plotter.XYs, name string) {
	for _, m := range lines {
		if len(m.Dev) > 0 {
			points = append(points, plotter.XY{X: float64(m.Step), Y: m.Dev[0].Value})
			name = m.Dev[0].Name
		}
	}
	return points, name
}

func devPanel(points plotter.XYs, name string) *plot.Plot {
	p := newPanel("development set", name)
	addHeldOut(p, points, "last %.4f")
	trained := slices.DeleteFunc(slices.Clone(points), func(p plotter.XY) bool { return p.X == 0 })
	if len(trained) == 0 {
		return p
	}
	best := slices.MaxFunc(trained, func(a, b plotter.XY) int { return cmp.Compare(a.Y, b.Y) })
	if marks, err := plotter.NewScatter(plotter.XYs{best}); err == nil {
		marks.GlyphStyle = draw.GlyphStyle{Color: trainingColor, Radius: 4, Shape: draw.RingGlyph{}}
		p.Add(marks)
		p.Legend.Add(fmt.Sprintf("best %.4f at step %g", best.Y, best.X), marks)
	}
	p.Legend.Top = false
	return p
}

func learningRatePanel(steps []Metrics) *plot.Plot {
	p := newPanel("learning rate", "rate")
	points := make(plotter.XYs, len(steps))
	for i, m := range steps {
		points[i] = plotter.XY{X: float64(m.Step), Y: m.LearningRate}
	}
	addLine(p, thin(points), trainingColor, 1.5)
	p.Y.Min = 0
	return p
}

// addTraining adds the values of the steps, pale, and their smoothed course.
func addTraining(p *plot.Plot, steps []Metrics, value func(Metrics) float64) {
	points := make(plotter.XYs, len(steps))
	for i, m := range steps {
		points[i] = plotter.XY{X: float64(m.Step), Y: value(m)}
	}
	pale := trainingColor
	pale.R, pale.G, pale.B = 0xb5, 0xd3, 0xe8
	addLine(p, thin(points), pale, 0.7)
	if line := addLine(p, thin(smooth(points)), trainingColor, 1.6); line != nil {
		p.Legend.Add("training, smoothed", line)
	}
}

func heldOutPoints(lines []Metrics, value func(*Scores) float64) plotter.XYs {
	var points plotter.XYs
	for _, m := range lines {
		if m.HeldOut != nil {
			points = append(points, plotter.XY{X: float64(m.Step), Y: value(m.HeldOut)})
		}
	}
	return points
}

func addHeldOut(p *plot.Plot, points plotter.XYs, legend string) {
	line := addLine(p, points, heldOutColor, 1.8)
	if line == nil {
		return
	}
	if marks, err := plotter.NewScatter(points); err == nil {
		marks.GlyphStyle = draw.GlyphStyle{Color: heldOutColor, Radius: 2.5, Shape: draw.CircleGlyph{}}
		p.Add(marks)
	}
	p.Legend.Add(fmt.Sprintf(legend, points[len(points)-1].Y), line)
}

// addReference adds a dashed horizontal line over all steps.
func addReference(p *plot.Plot, y float64, lines []Metrics, legend string) {
	if y == 0 || len(lines) == 0 {
		return
	}
	end := float64(max(1, lines[len(lines)-1].Step))
	line := addLine(p, plotter.XYs{{X: 0, Y: y}, {X: end, Y: y}}, referenceColor, 1.2)
	line.Dashes = []vg.Length{5, 4}
	p.Legend.Add(fmt.Sprintf(legend, y), line)
}

// addLine returns nil where there is nothing to draw.
func addLine(p *plot.Plot, points plotter.XYs, c color.Color, width vg.Length) *plotter.Line {
	line, err := plotter.NewLine(points)
	if len(points) == 0 || err != nil { // an error is a point that is not finite
		return nil
	}
	line.Color, line.Width = c, width
	p.Add(line)
	return line
}

// smooth returns the mean around each point, of about a fortieth of them.
func smooth(points plotter.XYs) plotter.XYs {
	half := len(points) / 80
	smoothed := make(plotter.XYs, len(points))
	for i, p := range points {
		var sum float64
		around := points[max(0, i-half):min(len(points), i+half+1)]
		for _, q := range around {
			sum += q.Y
		}
		smoothed[i] = plotter.XY{X: p.X, Y: sum / float64(len(around))}
	}
	return smoothed
}

// ticks returns about six places between low and high, at multiples of 1, 2 or 5 times a power of ten.
func ticks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/6)))
	for _, factor := range []float64{2, 2.5, 2} { // 2, 5, 10
		if (high-low)/step > 8 {
			step *= factor
		}
	}
	var marks []plot.Tick
	for i := int(math.Ceil(low/step - 1e-6)); float64(i) <= high/step+1e-6; i++ {
		value := float64(i) * step
		marks = append(marks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'g', 6, 64)})
	}
	return marks
}

// thin keeps every k-th point, and the last.
func thin(points plotter.XYs) plotter.XYs {
	k := (len(points) + curvePoints - 1) / curvePoints
	if k <= 1 {
		return points
	}
	var kept plotter.XYs
	for i := 0; i < len(points)-1; i += k {
		kept = append(kept, points[i])
	}
	return append(kept, points[len(points)-1])
}
