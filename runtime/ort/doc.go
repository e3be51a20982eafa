// Package ort runs an .onnx model in ONNX Runtime: [Open] returns a [goalbert/runtime.Session].
//
//	Find     which libonnxruntime: option, environment, our cache, the system
//	Install  a pinned library into the user's cache, checked against its SHA-256
//	Open     a model file to a session on the CPU, on CUDA or on any other provider of the library
//	Bind     a session's tensors to memory that stays: no copy, no allocation of outputs
//	Place    which provider runs which node: what fell to the CPU is counted
//	Doctor   what this machine has, what it lacks and the command that mends it
//
// The library is loaded at run time. Its file is looked at first, and its version before anything else is called, so
// that a library that is too old, truncated or no library at all is an error and not a crash. Nothing falls back
// silently: a provider that the library does not have, or that lacks what it needs itself, is an error too.
//
// A process runs one library, the first that a model was opened with. It may look at others: these stay loaded, with
// names of their own (RTLD_LOCAL), and do nothing. Signal handlers that a library sets, as those of CUDA do, are undone:
// Go's stay as they are.
//
// ONNX Runtime is reached through github.com/yalue/onnxruntime_go, which needs cgo. In a build without cgo the package
// has the same functions; Find and Install work, Open says what is missing.
//
// Absent on purpose: training, tensors of other types than float32 and int64, memory of devices.
package ort
