//go:build !linux

package kernel

import "testing"

// guarded returns two slices of n elements: without pages that must not be touched, unlike on Linux.
func guarded[T Float](_ testing.TB, n int) (before, behind []T) { return make([]T, n), make([]T, n) }
