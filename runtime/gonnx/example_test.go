package gonnx_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"goalbert/export"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
)

// A model of random weights, exported and run.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "gonnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	c, err := models.Preset("albert-tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	w := models.NewWeights(c)
	w.Initialize(1)
	path := filepath.Join(dir, "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		fmt.Println(err)
		return
	}

	s, err := gonnx.Open(path, gonnx.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	outputs, err := s.Run(context.Background(), map[string]runtime.Tensor{
		models.InputIDs:      runtime.NewTensor([]int64{2, 11, 4, 12, 3}, 1, 5),
		models.AttentionMask: runtime.NewTensor([]int64{1, 1, 1, 1, 1}, 1, 5),
		models.TokenTypeIDs:  runtime.NewTensor([]int64{0, 0, 0, 0, 0}, 1, 5),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Engine(), "gives", models.PredictionLogits, "of shape", outputs[models.PredictionLogits].Shape)
	// Output: onnx-go (pure Go) gives prediction_logits of shape [1 5 8000]
}
