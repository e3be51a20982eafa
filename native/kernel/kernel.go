package kernel

import (
	"fmt"
	"runtime"
)

// Float is a type that kernels compute in.
type Float interface{ float32 | float64 }

// set is a kernel set: the arithmetic of float32. That of float64 is always portable.
type set int

const (
	portable set = iota
	avx2         // and fused multiply-add
	avx512
)

// sets lists all sets, whether this processor has them or not.
var sets = []struct {
	set       set
	available bool
}{{portable, true}, {avx2, hasAVX2}, {avx512, hasAVX512}}

var fastest = func() set {
	if hasAVX512 {
		return avx512
	}
	if hasAVX2 {
		return avx2
	}
	return portable
}()

// setOf returns the fastest set for T that this processor has.
func setOf[T Float]() set {
	if _, narrow := any(T(0)).(float32); narrow {
		return fastest
	}
	return portable
}

func (s set) String() string {
	switch s {
	case avx512:
		return "avx512 float32"
	case avx2:
		return "avx2 float32"
	}
	return "portable float32, " + runtime.GOARCH
}

// Set names the arithmetic of this build on this machine: "avx512 float32", "avx2 float32" or, where the compiler's
// choice of instructions decides too, "portable float32, arm64". Two machines of one set compute the same bits.
func Set() string { return fastest.String() }

// SetOf is Set with products of a precision: "avx512 float32, products bf16".
func SetOf(p Precision) string {
	if p == Full {
		return Set()
	}
	return Set() + ", products " + p.String()
}

// rowsOf returns how many rows of so many columns n elements are.
func rowsOf(n, columns int) int {
	if n%columns != 0 {
		panic(fmt.Sprintf("kernel: %d elements are no whole rows of %d", n, columns))
	}
	return n / columns
}
