package kernel

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// eachSet runs a test for every kernel set that this processor has.
func eachSet(t *testing.T, test func(t *testing.T, s set)) {
	for _, each := range sets {
		t.Run(each.set.String(), func(t *testing.T) {
			if !each.available {
				t.Skip("not on this processor, or not in this build")
			}
			test(t, each.set)
		})
	}
}

// A set whose instructions the processor has must be there: a test that walks the sets must not skip it unnoticed. What
// the processor has is what Linux says, not what the package found.
func TestSetsAreAvailable(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("a build without assembly")
	}
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
