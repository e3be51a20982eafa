package ort

// Provider names what computes a session's nodes.
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

// Options are those of [Open]; the zero value is the CPU with ONNX Runtime's defaults.
type Options struct {
	Library           string   // the library, or its directory; empty searches for one as [Find] says
	Provider          Provider // empty is CPU
	IntraOpThreads    int      // threads within one node; 0 is one a core
	InterOpThreads    int      // nodes run at the same time; 0 is one after the other
	GraphOptimization GraphOptimization
	OptimizedModel    string // file that ONNX Runtime writes the graph to as it runs it; empty is none
}
