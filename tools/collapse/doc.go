// Command collapse measures what rounding to int8 does to a fine-tuned model, and what of it does that: scales of a column
// or of a matrix, eight bits or seven, each matrix alone, embeddings, layers, outliers in the weights, and the saturation
// of processors without VNNI. Every row is a file of albert export in ONNX Runtime, on all of the data.
//
//	go run ./tools/collapse --checkpoint CHECKPOINT --data glue/sst2 --file dev.tsv
//
//	main.go        the flags, the model and its examples
//	table.go       a row of the table: export, run, compare with fp32
//	rows.go        which rows there are
//	outliers.go    weights with outliers that compute the same function
//	saturation.go  a file whose products saturate on any processor
//
// What it found is in docs/quantization.md.
package main
