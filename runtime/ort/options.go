package ort

import (
	"fmt"
	"strings"
)

// Provider names what computes a session's nodes, in lower case and without its ending: "openvino" is
// OpenVINOExecutionProvider. Any that the library has will do: tensorrt, openvino, xnnpack, coreml, dnnl, webgpu, ...
type Provider string

const (
	CPU  Provider = "cpu"
	CUDA Provider = "cuda"
)

// GraphOptimization is how far ONNX Runtime rewrites a graph before it runs it.
type GraphOptimization int

const (
	OptimizeAll      GraphOptimization = iota // the default
	OptimizeExtended                          // fusions, no change of memory layout
	OptimizeBasic                             // constant folding, elimination of redundant nodes
	OptimizeNone                              // the graph as it was written
)

// graphOptimizations are their names.
var graphOptimizations = []string{"all", "extended", "basic", "none"}

// ParseGraphOptimization returns the level of that name: all, extended, basic or none.
func ParseGraphOptimization(name string) (GraphOptimization, error) {
	for i, known := range graphOptimizations {
		if name == known {
			return GraphOptimization(i), nil
		}
	}
	return 0, fmt.Errorf("graph level is %q, want one of %s", name, strings.Join(graphOptimizations, ", "))
}

// Options are those of [Open]; the zero value is the CPU with ONNX Runtime's defaults.
type Options struct {
	Library  string   // the library, or its directory; empty searches for one as [Find] says
	Provider Provider // empty is CPU

	// ProviderOptions are the provider's own, by their names in ONNX Runtime's documentation: for CUDA device_id,
	// gpu_mem_limit, arena_extend_strategy and others. On CUDA use_tf32 is 0 unless they set it: products of float32
	// are then float32, as everywhere else.
	ProviderOptions map[string]string

	// NoCPUFallback refuses a model of which the provider cannot run every node. Otherwise the rest runs on the CPU,
	// and [Place] counts it.
	NoCPUFallback bool

	IntraOpThreads    int // threads within one node; 0 is one a core
	InterOpThreads    int // nodes run at the same time; 0 is one after the other
	GraphOptimization GraphOptimization
	NoArena           bool   // give memory back after each run: less is held, and each run is slower
	OptimizedModel    string // file that ONNX Runtime writes the graph to as it runs it; empty is none
	Profile           string // file that Close writes each node's times to, as chrome://tracing reads them; empty is none

	// WarmUp are shapes. Open returns after one run of each, with zeros of that shape as every input, so that no later
	// run does what the first one does besides (memory patterns, arenas, choices of kernels). An empty shape is the
	// smallest that each input may have.
	WarmUp [][]int
}
