package kernel

import "runtime"

// Float is a type that kernels compute in.
type Float interface{ float32 | float64 }

// Set names the arithmetic of this build on this machine: "portable float32, amd64". Two machines of one set compute
// the same bits.
func Set() string { return "portable float32, " + runtime.GOARCH }
