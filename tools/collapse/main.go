package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"goalbert/models"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

func main() {
	var o options
	flag.StringVar(&o.checkpoint, "checkpoint", "", "a fine-tuned model with one group of layers")
	flag.StringVar(&o.task, "data", "glue/sst2", "the task")
	flag.StringVar(&o.file, "file", "", "labelled examples of it")
	flag.StringVar(&o.library, "library", "", "ONNX Runtime; otherwise where albert finds it")
	flag.StringVar(&o.tables, "tables", "whole,alone,depths,outliers,saturation", "which are measured; the last is slow")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "collapse:", err)
		os.Exit(1)
	}
}

type options struct {
	checkpoint, task, file, library, tables string
}

func run(ctx context.Context, o options) error {
	if flag.NArg() > 0 || o.checkpoint == "" || o.file == "" {
		return fmt.Errorf("want --checkpoint and --file, and no arguments")
	}
	w, err := models.ReadCheckpoint(o.checkpoint)
	if err != nil {
		return err
	}
	if len(w.Parameters.LayerGroups) != 1 || len(w.Parameters.LayerGroups[0]) != 1 {
		return fmt.Errorf("%s has several layers, want one that is shared", o.checkpoint)
	}
	t, err := tokenizer.Open(o.checkpoint)
	if err != nil {
		return err
	}
	task, err := tasks.New(o.task, tasks.Options{MaxLength: w.Config.MaxPositionEmbeddings})
	if err != nil {
		return err
	}
	if err := task.Adopt(w.Config); err != nil {
		return err
	}
	set, err := tasks.Load(task, true, false, o.file)
	if err != nil {
		return err
	}
	if err := set.Encode(task, t); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "albert-collapse-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b := &table{task: task, set: set, folder: folder, library: o.library}
	return b.measure(ctx, w, strings.Split(o.tables, ","))
}
