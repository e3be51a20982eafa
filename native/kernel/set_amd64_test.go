//go:build !purego

package kernel

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// A set whose instructions the processor has must be there: a test that walks the sets must not skip it unnoticed. What
// the processor has is what Linux says, not what the package found.
func TestSetsAreAvailable(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip("no /proc/cpuinfo to ask: ", err)
	}
	_, line, _ := strings.Cut(string(text), "\nflags")
	line, _, _ = strings.Cut(line, "\n")
	flags := strings.Fields(line)
	needs := map[set][]string{
		portable: nil,
		avx2:     {"avx2", "fma", "bmi2"},
		avx512:   {"avx2", "fma", "bmi2", "avx512f", "avx512vl", "avx512dq", "avx512bw"},
	}
	check := func(name string, available bool, needed []string) {
		has := true
		for _, flag := range needed {
			has = has && slices.Contains(flags, flag)
		}
		if has != available {
			t.Errorf("%s: available is %v, and the processor's flags say %v", name, available, has)
		}
	}
	for _, each := range sets {
		check(each.set.String(), each.available, needs[each.set])
	}
	for _, each := range tilings {
		needed := needs[each.set]
		if each.precision == BF16 {
			needed = append(slices.Clone(needed), "avx512_bf16")
		}
		check(each.String(), each.available, needed)
	}
}
