package ort

import (
	"fmt"
	"strings"
)

// Names of providers as a library lists them.
const (
	cpuProvider      = "CPUExecutionProvider"
	cudaProvider     = "CUDAExecutionProvider"
	tensorRTProvider = "TensorrtExecutionProvider"
	providerSuffix   = "ExecutionProvider"
)

// provider returns the name of p in the library's list, if it is there.
func (l Library) provider(p Provider) (name string, ok bool) {
	if p == "" || p == CPU {
		return cpuProvider, true
	}
	for _, name := range l.Providers {
		if strings.EqualFold(string(shortName(name)), string(p)) || strings.EqualFold(name, string(p)) {
			return name, true
		}
	}
	return "", false
}

// lack says why p cannot be used with the library, if that can be told before it is tried.
func (l Library) lack(p Provider) (Lack, bool) {
	name, ok := l.provider(p)
	if ok {
		return l.lackOfFiles(name)
	}
	if len(l.Providers) == 0 {
		return Lack{}, false // a build without cgo knows none
	}
	var has []string
	for _, name := range l.Providers {
		has = append(has, string(shortName(name)))
	}
	what := fmt.Sprintf("%s (onnxruntime %s) was built without it and has %s", l.Path, l.Version, strings.Join(has, ", "))
	if p == CUDA || strings.EqualFold(string(p), string(shortName(tensorRTProvider))) {
		return Lack{What: what, Mend: l.installGPU()}, true
	}
	return Lack{What: what, Mend: "export " + LibraryEnv + "=PATH of a library with it"}, true
}

// installGPU is the command after which a library with CUDA is found instead of l.
func (l Library) installGPU() string {
	switch l.Origin {
	case FromEnvironment:
		return "unset " + LibraryEnv + "; " + InstallGPUCommand
	case FromOption:
		return InstallGPUCommand + ", and give no library"
	}
	return InstallGPUCommand
}

// shortName is what [Options] call the provider of that name.
func shortName(name string) Provider {
	return Provider(strings.ToLower(strings.TrimSuffix(name, providerSuffix)))
}
