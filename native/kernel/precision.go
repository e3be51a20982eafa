package kernel

import "fmt"

// Precision is what the factors of a product are rounded to. Sums are of the matrices' own type in any case.
type Precision int

const (
	Full Precision = iota // not rounded
	BF16                  // to bfloat16, the upper half of a float32: 8 bits of significand
)

// precisionNames are those of a command line.
var precisionNames = map[Precision]string{Full: "fp32", BF16: "bf16"}

func (p Precision) String() string { return precisionNames[p] }

// ParsePrecision returns the precision of a name, fp32 or bf16.
func ParsePrecision(name string) (Precision, error) {
	for p, n := range precisionNames {
		if n == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("kernel: unknown precision %q; want %v or %v", name, Full, BF16)
}

// Available reports whether this processor multiplies in p, as an error that says what it lacks. In emulation bf16 would
// be slower than fp32, so there is none.
func (p Precision) Available() error {
	if _, known := precisionNames[p]; !known {
		return fmt.Errorf("kernel: unknown precision %d; want %v or %v", int(p), Full, BF16)
	}
	if p == BF16 && !hasBF16 {
		return fmt.Errorf("kernel: precision %v needs a processor with AVX512_BF16, and this build on this machine has %v; "+
			"use precision %v", p, fastest, Full)
	}
	return nil
}
