package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"

	"goalbert/internal/machine"
	"goalbert/native/kernel"
)

// contender is a process that is measured in every round.
type contender struct {
	command func() (*exec.Cmd, error)

	process *process
	name    string    // as it calls itself
	values  []float64 // one a round
	memory  float64   // bytes, the most that were resident
}

// figure is what a column shows of contenders: in each round the best of those that are there, times scale, or scale
// divided by it.
type figure struct {
	of       []*contender
	scale    float64
	inverse  bool
	constant bool // instead: scale, whatever is measured
	memory   bool // instead: the most memory of the first
	label    string
}

// values returns one a round; none if none of the contenders is there.
func (f figure) values() []float64 {
	var values []float64
	if f.memory {
		if f.of[0].memory > 0 {
			values = []float64{f.of[0].memory}
		}
	} else {
		for _, c := range f.of {
			for i, v := range c.values {
				if i == len(values) {
					values = append(values, v)
				}
				values[i] = max(values[i], v)
			}
		}
	}
	for i, v := range values {
		switch {
		case f.constant:
			values[i] = f.scale
		case f.inverse:
			values[i] = f.scale / v
		default:
			values[i] = f.scale * v
		}
	}
	return values
}

// name returns the label, or else what the contenders call themselves.
func (f figure) name() string {
	if f.label != "" || len(f.of) == 0 {
		return f.label
	}
	return f.of[0].name
}

// comparison is a row of the table.
type comparison struct {
	name         string
	unit         string
	ours, beside figure
	wanted       bound
}

// bound is what is wanted of a ratio; the zero value is nothing.
type bound struct {
	ratio float64
	most  bool // at most, instead of at least
}

// group is comparisons whose contenders take turns.
type group struct {
	rounds      int
	comparisons []comparison
}

// select returns the comparisons whose names match, and their contenders, each once.
func (b *bench) selected(g group) (comparisons []comparison, contenders []*contender) {
	for _, c := range g.comparisons {
		if !b.only.MatchString(c.name) {
			continue
		}
		comparisons = append(comparisons, c)
		for _, each := range append(slices.Clone(c.ours.of), c.beside.of...) {
			if !slices.Contains(contenders, each) {
				contenders = append(contenders, each)
			}
		}
	}
	return comparisons, contenders
}

// bench is one run.
type bench struct {
	options
	ctx     context.Context
	dir     string // for what is compiled and written
	program string // this one

	compileOpenBLAS, findTorch, findText, findModel func() (string, error)
	report                                          report
}

// measureAll measures all that is selected.
func measureAll(ctx context.Context, o options) (*report, error) {
	b := &bench{options: o, ctx: ctx}
	b.compileOpenBLAS, b.findTorch = sync.OnceValues(b.buildOpenBLAS), sync.OnceValues(b.writeTorch)
	b.findText, b.findModel = sync.OnceValues(b.textFile), sync.OnceValues(b.modelFile)
	var err error
	if b.program, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.dir)
	groups, err := b.plan()
	if err != nil {
		return nil, err
	}
	b.report.Processor = fmt.Sprintf("%s, %d processors; kernels: %s", machine.ProcessorName(), runtime.NumCPU(), kernel.Set())
	for _, g := range groups {
		b.measure(g)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return &b.report, nil
}

// measure measures a group, and adds its rows to the report.
func (b *bench) measure(g group) {
	comparisons, contenders := b.selected(g)
	if len(comparisons) == 0 {
		return
	}
	fmt.Fprintln(os.Stderr, "measuring:", comparisons[0].name)
	for _, c := range contenders {
		if err := c.start(); err != nil {
			b.absent(err)
		}
	}
	for range g.rounds {
		for _, c := range contenders {
			if c.process == nil {
				continue
			}
			value, err := c.process.measure()
			if err != nil {
				b.absent(err)
				c.process, c.values = nil, nil
				continue
			}
			c.values = append(c.values, value)
		}
	}
	for _, c := range contenders {
		if c.process == nil {
			continue
		}
		var err error
		if c.memory, err = c.process.stop(); err != nil {
			b.absent(err)
		}
	}
	for _, c := range comparisons {
		if r, ok := c.row(); ok {
			b.report.Rows = append(b.report.Rows, r)
		}
	}
}

// start starts the contender's process.
func (c *contender) start() error {
	command, err := c.command()
	if err != nil {
		return err
	}
	if c.process, err = start(command); err != nil {
		return err
	}
	c.name = c.process.name
	return nil
}

// absent reports a contender that cannot be measured: a peer that is not installed, or something that failed.
func (b *bench) absent(err error) {
	list := &b.report.Failed
	if _, ok := errors.AsType[missing](err); ok {
		list = &b.report.Skipped
	}
	if text := err.Error(); !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
}

// row returns what the comparison shows, if ours could be measured.
func (c comparison) row() (row, bool) {
	r := row{Name: c.name, Unit: c.unit, Ours: c.ours.values(), Beside: c.beside.name(), Peer: c.beside.values()}
	if len(r.Ours) == 0 {
		return r, false
	}
	r.Rounds = len(r.Ours)
	if n := min(len(r.Ours), len(r.Peer)); n > 0 {
		r.Ratio = newSpread(ratios(r.Ours[:n], r.Peer[:n]))
		if c.wanted.ratio > 0 {
			r.Wanted = c.wanted.String()
			holds := c.wanted.holds(r.Ratio.Median)
			r.Holds = &holds
		}
	}
	return r, true
}

func (w bound) holds(ratio float64) bool {
	if w.most {
		return ratio <= w.ratio
	}
	return ratio >= w.ratio
}

func (w bound) String() string {
	if w.most {
		return fmt.Sprintf("≤ %.2f", w.ratio)
	}
	return fmt.Sprintf("≥ %.2f", w.ratio)
}

// ratios returns a[i] / b[i].
func ratios(a, b []float64) []float64 {
	r := make([]float64, len(a))
	for i := range a {
		r[i] = a[i] / b[i]
	}
	return r
}

// spread is the median of some numbers, the smallest and the largest.
type spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

func newSpread(x []float64) *spread {
	return &spread{median(x), slices.Min(x), slices.Max(x)}
}

// median is the middle one, or the mean of the two in the middle.
func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
