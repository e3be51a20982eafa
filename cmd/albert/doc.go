// Command albert trains ALBERT on your own text and for your own tasks, exports it to ONNX, runs it, and proves that both
// compute the same.
//
//	albert corpus godoc --out corpus.txt
//	albert tokenizer train corpus.txt --vocab-size 8000 --out vocabulary
//	albert pretrain corpus.txt --tokenizer vocabulary --preset albert-tiny --minutes 3 --out run
//	albert export run/model --out model/model.onnx
//	albert parity run/model model/model.onnx
//
//	albert finetune --task classification --model run --train train.tsv --dev dev.tsv --out tuned
//	albert export tuned/model --out tuned/out/model.onnx
//	albert predict tuned/out/model.onnx "a text"
//
// One file a verb: corpus.go tokenizer.go (with encode.go) pretrain.go (with progress.go) finetune.go (with
// finetune_start.go, finetune_resume.go) export.go (with export_folder.go, calibrate.go) eval.go (with eval_task.go,
// watch.go) predict.go (with submission.go) embed.go similar.go fillmask.go parity.go (with parity_inputs.go,
// parity_files.go, parity_engines.go, parity_task.go) bench.go (with bench_worker.go, bench_plot.go) inspect.go doctor.go
// runtime.go. Besides: main.go, exit codes; engine.go, opening a model in an engine; start.go, what a training starts from;
// task.go, the flags of a task; output.go, what is printed; files.go; machine.go, where all that ran.
//
// Results go to standard output, progress and errors to standard error. The exit code is 0, 1 for an error, which is one
// sentence, 2 for bad usage, 130 after an interruption.
package main
