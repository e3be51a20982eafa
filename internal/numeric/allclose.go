package numeric

import (
	"fmt"
	"math"
)

// Float is a type of number that can be compared.
type Float interface{ ~float32 | ~float64 }

// Comparison is how far an array is from what it should be.
type Comparison struct {
	Elements   int
	MaxAbs     float64 // largest absolute difference
	Share      float64 // largest share of the tolerance that a difference uses
	WorstIndex int     // where that is
	Got, Want  float64 // and what was there
	Length     int     // of the array that was got, if it is not Elements
}

// Compare compares got with want element by element. NaN equals NaN alone.
func Compare[T Float](got, want []T, t Tolerance) Comparison {
	return CompareEach(got, want, func(int) Tolerance { return t })
}

// CompareEach is Compare with a tolerance for each element.
func CompareEach[T Float](got, want []T, tolerance func(i int) Tolerance) Comparison {
	c := Comparison{Elements: len(want), Length: len(got)}
	if len(got) != len(want) {
		c.Share = math.Inf(1)
		return c
	}
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		share := tolerance(i).share(g, w)
		if share > c.Share || i == 0 {
			c.Share, c.WorstIndex, c.Got, c.Want = share, i, g, w
		}
		c.MaxAbs = max(c.MaxAbs, math.Abs(g-w))
	}
	return c
}

// OK reports whether every difference is within the tolerance.
func (c Comparison) OK() bool { return c.Share <= 1 }

// String says how many elements were compared, where the worst is, what was got and wanted, and the share of the
// tolerance used.
func (c Comparison) String() string {
	if c.Length != c.Elements {
		return fmt.Sprintf("got %d elements, want %d", c.Length, c.Elements)
	}
	return fmt.Sprintf("%d elements, worst at %d: got %v, want %v, largest difference %.3g, %.3g %% of the tolerance used",
		c.Elements, c.WorstIndex, c.Got, c.Want, c.MaxAbs, 100*c.Share)
}

// Reporter is the part of testing.TB that is used here, so that the product need not import package testing.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// Check fails t if got is not want within the tolerance, and says by how much; with go test -v it also says how much of
// the tolerance was used where all is well.
func Check[T Float](t Reporter, name string, got, want []T, tolerance Tolerance) {
	t.Helper()
	report(t, name, Compare(got, want, tolerance))
}

func report(t Reporter, name string, c Comparison) {
	t.Helper()
	if c.OK() {
		t.Logf("%s: %v", name, c)
	} else {
		t.Errorf("%s: %v", name, c)
	}
}
