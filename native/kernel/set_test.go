package kernel

import "testing"

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
