package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime/ort"
	"goalbert/tasks"
)

// table prints a row for each model that is measured.
type table struct {
	task            tasks.Task
	set             *tasks.Set
	folder, library string
	reference       *evaluate.TaskResult // fp32 of the rows that follow
}

// outputs exports w and runs the examples on it. change, where there is one, is made to the file.
func (b *table) outputs(ctx context.Context, w *models.Weights, o export.Options, change func(*onnx.ModelProto) error) (*evaluate.TaskResult, error) {
	m, err := export.Model(w, o)
	if err != nil {
		return nil, err
	}
	chunk := len(b.set.Features)
	if change != nil {
		if err := change(m); err != nil {
			return nil, err
		}
		chunk = 8 // what is changed is wide
	}
	path := filepath.Join(b.folder, "model.onnx")
	if err := models.WriteFile(path, func(out io.Writer) error { return onnx.Write(out, m) }); err != nil {
		return nil, err
	}
	session, err := ort.Open(path, ort.Options{Library: b.library})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	r := &evaluate.TaskResult{}
	for features := range slices.Chunk(b.set.Features, chunk) {
		outputs, err := evaluate.Outputs(ctx, session, w.Config, features)
		if err != nil {
			return nil, err
		}
		r.Outputs = append(r.Outputs, outputs...)
	}
	if r.Predictions, err = b.set.Predict(b.task, r.Outputs); err != nil {
		return nil, err
	}
	r.Scores, err = b.task.Score(ctx, b.set.Examples, r.Predictions)
	return r, err
}

// section begins a table: of w in fp32, with which the rows that follow are compared.
func (b *table) section(ctx context.Context, title string, w *models.Weights) error {
	r, err := b.outputs(ctx, w, export.Options{}, nil)
	if err != nil {
		return err
	}
	b.reference = r
	fmt.Printf("\n%s\n\n| |", title)
	for _, s := range r.Scores {
		fmt.Printf(" %s |", s.Name)
	}
	fmt.Printf(" changed | error |\n|---|")
	for range len(r.Scores) + 2 {
		fmt.Print("---|")
	}
	fmt.Println()
	b.print("fp32", r)
	return nil
}

// row measures w with those options.
func (b *table) row(ctx context.Context, name string, w *models.Weights, o export.Options, change func(*onnx.ModelProto) error) error {
	r, err := b.outputs(ctx, w, o, change)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.print(name, r)
	return nil
}

// print writes scores in percent, how many predictions are not those of the reference, and √(Σ(y-x)² / Σx²) of the outputs.
func (b *table) print(name string, r *evaluate.TaskResult) {
	fmt.Printf("| %s |", name)
	for _, s := range r.Scores {
		fmt.Printf(" %.1f |", 100*s.Value)
	}
	changed, apart, all := 0, 0.0, 0.0
	for i, p := range r.Predictions {
		if p.Label != b.reference.Predictions[i].Label {
			changed++
		}
	}
	for i, x := range b.reference.Outputs {
		for k, v := range x {
			d := float64(r.Outputs[i][k] - v)
			apart, all = apart+d*d, all+float64(v)*float64(v)
		}
	}
	fmt.Printf(" %d | %.2g %% |\n", changed, 100*math.Sqrt(apart/all))
}
