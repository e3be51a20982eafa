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
	for _, each := range sets {
		has := true
		for _, flag := range needs[each.set] {
			has = has && slices.Contains(flags, flag)
		}
		if has != each.available {
			t.Errorf("%v: available is %v, and the processor's flags say %v", each.set, each.available, has)
		}
	}
}
