package main

import (
	"fmt"
	goruntime "runtime"

	"goalbert/internal/machine"
	"goalbert/native"
	"goalbert/parity"
	"goalbert/runtime/ort"
)

// thisMachine says where engines with these options run.
func thisMachine(o *engineOptions) parity.Machine {
	m := parity.Machine{
		Platform: goruntime.GOOS + "/" + goruntime.GOARCH, Processor: machine.ProcessorName(), Threads: threadCount(o.threads),
		Features: features(), Kernels: native.KernelSet(), Go: goruntime.Version(), Library: "none",
	}
	if library, err := ort.Find(*o.library); err == nil {
		m.Library = fmt.Sprintf("%s, %s", library.Version, library.Path)
	}
	return m
}
