package main

import (
	"math"
	"regexp"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		x    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 4}, 4}, {[]float64{8, 1, 2, 100}, 5}} {
		before := slices.Clone(test.x)
		if got := median(test.x); got != test.want {
			t.Errorf("median of %v: got %v, want %v", test.x, got, test.want)
		}
		if !slices.Equal(test.x, before) {
			t.Errorf("median has sorted its argument: %v, it was %v", test.x, before)
		}
	}
}

// A figure of several contenders is the best of each round, not that of the best contender.
func TestFigureValues(t *testing.T) {
	a, b, gone := &contender{values: []float64{1, 5}, memory: 8}, &contender{values: []float64{4, 2}}, &contender{}
	for _, test := range []struct {
		name string
		f    figure
		want []float64
	}{
		{"the best", figure{of: []*contender{a, gone, b}, scale: 10}, []float64{40, 50}},
		{"inverse", figure{of: []*contender{b}, scale: 8, inverse: true}, []float64{2, 4}},
		{"memory", figure{of: []*contender{a, b}, scale: 0.5, memory: true}, []float64{4}},
		{"no memory known", figure{of: []*contender{b}, scale: 1, memory: true}, nil},
		{"not there", figure{of: []*contender{gone}, scale: 1}, nil},
		{"nobody", figure{scale: 1}, nil},
	} {
		if got := test.f.values(); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
	if a.values[0] != 1 || b.values[0] != 4 {
		t.Errorf("the contenders' own values changed: %v, %v", a.values, b.values)
	}
}

// The ratio is that of each round: a machine that is three times slower in the second leaves it as it is.
func TestRowComparesRoundByRound(t *testing.T) {
	ours, peer := &contender{values: []float64{30, 10, 33}}, &contender{name: "peer", values: []float64{15, 5, 11}}
	c := comparison{"name", "unit", one(ours), one(peer), bound{ratio: 2}}
	r, ok := c.row()
	if !ok || r.Beside != "peer" || r.Rounds != 3 || *r.Ratio != (spread{2, 2, 3}) {
		t.Errorf("got %+v, ratio %+v", r, r.Ratio)
	}
	if r.Wanted != "≥ 2.00" || !*r.Holds {
		t.Errorf("got wanted %q, holds %v, of a ratio of 2", r.Wanted, *r.Holds)
	}
	c.wanted = bound{ratio: 1.9, most: true}
	if r, _ := c.row(); r.Wanted != "≤ 1.90" || *r.Holds {
		t.Errorf("got wanted %q, holds %v, of a ratio of 2", r.Wanted, *r.Holds)
	}
	c.beside = one(&contender{})
	if r, ok := c.row(); !ok || r.Ratio != nil || r.Holds != nil || r.Wanted != "" {
		t.Errorf("without the peer: got %+v", r)
	}
	c.ours = one(&contender{})
	if _, ok := c.row(); ok {
		t.Error("without ours there is a row")
	}
}

// A contender of several rows is measured once, and one of rows that are not selected is not.
func TestSelected(t *testing.T) {
	a, b, c := &contender{}, &contender{}, &contender{}
	g := group{1, []comparison{
		{name: "x 1", ours: one(a), beside: one(b)},
		{name: "y", ours: one(c)},
		{name: "x 2", ours: one(b), beside: one(a)},
	}}
	comparisons, contenders := (&bench{options: options{only: regexp.MustCompile("^x")}}).selected(g)
	if len(comparisons) != 2 || !slices.Equal(contenders, []*contender{a, b}) {
		t.Errorf("got %d comparisons and %d contenders, want 2 and 2", len(comparisons), len(contenders))
	}
}

// Every row has a name of its own with what stands beside it, and contenders of one group are not in another.
func TestPlan(t *testing.T) {
	b := &bench{options: options{rounds: 5, sweep: true}, dir: t.TempDir()}
	groups, err := b.plan()
	if err != nil {
		t.Fatal(err)
	}
	place, seen := map[*contender]int{}, map[string]bool{}
	for i, g := range groups {
		for _, c := range g.comparisons {
			name := c.name + ", " + c.unit + ", " + c.beside.label
			for _, each := range append(slices.Clone(c.ours.of), c.beside.of...) {
				if j, ok := place[each]; ok && j != i {
					t.Errorf("%s: a contender of another group", c.name)
				}
				place[each] = i
			}
			if c.beside.label != "" && seen[name] {
				t.Errorf("there are two rows %q", name)
			}
			seen[name] = true
		}
	}
	if len(groups) < 20 {
		t.Errorf("%d groups", len(groups))
	}
}

func TestRatios(t *testing.T) {
	got := newSpread(ratios([]float64{1, 6, 8}, []float64{2, 3, 2}))
	if *got != (spread{2, 0.5, 4}) || math.IsNaN(got.Median) {
		t.Errorf("got %+v", got)
	}
}
