//go:build purego || !amd64

package kernel

// multiplyAdds returns nil: there is nothing to compare portable code with.
func multiplyAdds(set, Precision) (run func(n int), flops int) { return nil, 0 }
