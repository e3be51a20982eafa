package export_test

import (
	"fmt"
	"os"
	"path/filepath"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
)

// A model of random weights, written and read again.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "export")
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
	m, err := onnx.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Graph.Input[0].Name, "to", m.Graph.Output[0].Name, "by", len(m.Graph.Node), "nodes")
	// Output: input_ids to prediction_logits by 96 nodes
}
