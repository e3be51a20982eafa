package main

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// benchColors differ for colour-blind readers too (Okabe and Ito).
var benchColors = []color.RGBA{
	{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, {R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}, {R: 0x00, G: 0x9e, B: 0x73, A: 0xff},
	{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}, {R: 0x56, G: 0xb4, B: 0xe9, A: 0xff}, {R: 0xe6, G: 0x9f, B: 0x00, A: 0xff},
	{R: 0x50, G: 0x50, B: 0x50, A: 0xff},
}

// draw draws the median latency of each session and batch by length, and thinner the 99th percentile, as a PNG.
func (r *benchReport) draw(w io.Writer) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "latency: median, and thin the 99th percentile", "tokens of a sequence", "ms"
	p.Title.TextStyle.Font.Size = 13
	p.Title.Padding = 6
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = 2
	p.X.Min = 0
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe4}, color.Gray{0xe4}
	p.Add(grid)

	type series struct {
		model, engine  string
		threads, batch int
	}
	var order []series
	points := map[series][2]plotter.XYs{}
	for _, row := range r.Rows {
		s := series{row.Model, row.Engine, row.Threads, row.Batch}
		lines, there := points[s]
		if !there {
			order = append(order, s)
		}
		lines[0] = append(lines[0], plotter.XY{X: float64(row.Length), Y: float64(row.P50) / 1e6})
		lines[1] = append(lines[1], plotter.XY{X: float64(row.Length), Y: float64(row.P99) / 1e6})
		points[s] = lines
	}
	for i, s := range order {
		for j, width := range []vg.Length{1.6, 0.6} {
			line, dots, err := plotter.NewLinePoints(points[s][j])
			if err != nil {
				return err
			}
			line.Width, line.Color, dots.Color = width, benchColors[i%len(benchColors)], benchColors[i%len(benchColors)]
			if i >= len(benchColors) {
				line.Dashes = []vg.Length{4, 2}
			}
			dots.Radius, dots.Shape = 2*width, draw.CircleGlyph{}
			p.Add(line, dots)
			if j == 0 {
				name := fmt.Sprintf("%s, %s, batch %d, %s threads", filepath.Base(s.model), s.engine, s.batch, threadsName(s.threads))
				p.Legend.Add(name, line)
			}
		}
	}
	span := math.Log10(p.Y.Max / p.Y.Min)
	p.Y.Max *= math.Pow(10, (0.3+span)*0.06*float64(len(order))) // room for the legend
	image := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(24*vg.Centimeter, 14*vg.Centimeter), vgimg.UseDPI(110))}
	p.Draw(draw.New(image))
	_, err := image.WriteTo(w)
	return err
}

// logTicks are 1, 2 and 5 of each power of ten.
func logTicks(lowest, highest float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Pow(10, math.Floor(math.Log10(lowest))); power <= highest; power *= 10 {
		for _, v := range []float64{1, 2, 5} {
			if at := v * power; lowest <= at && at <= highest {
				ticks = append(ticks, plot.Tick{Value: at, Label: strconv.FormatFloat(at, 'g', 3, 64)})
			}
		}
	}
	return ticks
}
