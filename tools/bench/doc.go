// Command bench measures the native engine beside the processor's limit and beside its peers, and prints one table.
//
//	go run ./tools/bench [-quick] [-only REGEXP] [-sweep] [-lengths FILE] [-python PYTHON] [-markdown] [-json FILE]
//
// What is compared runs in processes of its own, ours too, which stay alive and take turns: in each round every one is
// measured once, within seconds of the others, because a shared machine is faster at times than at others. A ratio
// is the median over the rounds of each round's ratio; its smallest and largest stand beside it. Limits and products
// count the best of what fits in a third of a second, steps and forward passes the mean over half a second or one pass.
//
// A peer that is not installed is left out, and the end of the output says what installs it.
//
//	main.go         flags
//	plan.go         what is measured, beside what, and what is wanted
//	rounds.go       the rounds, and the figures that follow from them
//	process.go      the processes that are measured, and the line protocol that they speak
//	memory_*.go     what the system says of their memory
//	job.go          what our own processes do
//	engine.go       the calls of native and native/kernel
//	batch.go        batches, lengths of sequences, the arithmetic of a step
//	peers.go        OpenBLAS (openblas.c), PyTorch (torch_albert.py), ONNX Runtime
//	table.go        the table
//	processor.go    the processor's name
package main
