package numeric

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tolerance := Tolerance{Absolute: 0.1, Relative: 0.01}
	for _, test := range []struct {
		got, want []float64
		ok        bool
		worst     int
	}{
		{nil, nil, true, 0},
		{[]float64{1, 2}, []float64{1, 2}, true, 0},
		{[]float64{1, 100, 3}, []float64{1, 101, 3}, true, 1},  // 1 of 1.11
		{[]float64{1, 100, 3}, []float64{1, 102, 3}, false, 1}, // 2 of 1.12
		{[]float64{1, 2, 3.2}, []float64{1, 2, 3}, false, 2},   // 0.2 of 0.13
		{[]float64{1}, []float64{1, 2}, false, 0},              // another length
		{[]float64{nan, 1}, []float64{nan, 1}, true, 0},        // NaN equals NaN
		{[]float64{1, nan}, []float64{1, 2}, false, 1},         // and nothing else
		{[]float64{1, 2}, []float64{1, nan}, false, 1},         //
		{[]float64{inf, -inf}, []float64{inf, -inf}, true, 0},  //
		{[]float64{inf, inf}, []float64{inf, -inf}, false, 1},  //
		{[]float64{0, 1e300}, []float64{0, inf}, false, 1},     // infinite tolerance admits nothing
	} {
		c := Compare(test.got, test.want, tolerance)
		if c.OK() != test.ok || c.WorstIndex != test.worst {
			t.Errorf("%v against %v: %v, worst at %d; want %v, %d", test.got, test.want, c.OK(), c.WorstIndex, test.ok, test.worst)
		}
	}
	if c := Compare([]float32{1.05}, []float32{1}, tolerance); math.Abs(c.Share-0.05/0.11) > 1e-6 || math.Abs(c.MaxAbs-0.05) > 1e-6 {
		t.Errorf("got %v", c)
	}
	if Compare([]float64{1}, []float64{math.Nextafter(1, 2)}, Exact).OK() {
		t.Error("Exact admits a difference")
	}
}

// recorder is a Reporter that remembers.
type recorder struct{ errors, logs []string }

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

// A failure says tensor, worst index, got, want and the share of the tolerance.
func TestCheckSaysEverything(t *testing.T) {
	r := &recorder{}
	Check(r, "logits", []float64{1, 2.5}, []float64{1, 2}, Tolerance{Absolute: 0.25})
	if len(r.errors) != 1 {
		t.Fatalf("got %d errors, want 1", len(r.errors))
	}
	for _, want := range []string{"logits", "worst at 1", "got 2.5", "want 2", "200 % of the tolerance"} {
		if !strings.Contains(r.errors[0], want) {
			t.Errorf("%q does not say %q", r.errors[0], want)
		}
	}
}

func TestCheckGradient(t *testing.T) {
	x := []float64{0.3, -1.2, 2}
	f := func() float64 { return math.Sin(x[0])*x[1] + x[2]*x[2]*x[2] }
	right := []float64{math.Cos(0.3) * -1.2, math.Sin(0.3), 12}
	CheckGradient(t, "f", f, x, right)
	r := &recorder{}
	CheckGradient(r, "f", f, x, []float64{right[0], right[1], 12.001})
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "worst at 2") {
		t.Errorf("a wrong gradient gave %q", r.errors)
	}
	r = &recorder{}
	CheckGradientAt(r, "f", f, x, []float64{0, right[1], 12.001}, []int{1})
	if len(r.errors) != 0 || len(r.logs) != 1 {
		t.Errorf("a gradient that is right where it is checked gave %q", r.errors)
	}
	CheckGradientAt(r, "f", f, x, []float64{0, right[1], 12.001}, []int{1, 2})
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "worst at 2") {
		t.Errorf("a gradient that is wrong at 2 gave %q", r.errors)
	}
	CheckGradientAt(r, "f", f, x, right, nil)
	CheckGradient(r, "f", f, x, right[:2])
	if len(r.errors) != 2 || !strings.Contains(r.errors[1], "got 2 elements, want 3") {
		t.Errorf("a gradient that is too short gave %q", r.errors)
	}
	if x[0] != 0.3 || x[1] != -1.2 || x[2] != 2 {
		t.Errorf("x became %v", x)
	}
}
