package gonnx_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"goalbert/export"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/ort"
)

// ALBERT-base on two threads, here and in ONNX Runtime, where this machine has it.
func BenchmarkRun(b *testing.B) {
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		b.Fatal(err)
	}
	w := models.NewWeights(c)
	w.Initialize(1)
	path := filepath.Join(b.TempDir(), "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		b.Fatal(err)
	}
	engines := map[string]func() (runtime.Session, error){
		"onnx-go":     func() (runtime.Session, error) { return gonnx.Open(path, gonnx.Options{Threads: 2}) },
		"onnxruntime": func() (runtime.Session, error) { return ort.Open(path, ort.Options{IntraOpThreads: 2}) },
	}
	for name, open := range engines {
		s, err := open()
		if err != nil {
			b.Logf("%s: %v", name, err)
			continue
		}
		for _, shape := range [][2]int{{1, 32}, {8, 128}} {
			b.Run(fmt.Sprintf("%s/batch=%d/length=%d", name, shape[0], shape[1]), func(b *testing.B) {
				in := inputs(shape[0], shape[1])
				for b.Loop() {
					if _, err := s.Run(context.Background(), in); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*shape[0]*shape[1])/b.Elapsed().Seconds(), "tokens/s")
			})
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
