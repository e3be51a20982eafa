package export

import (
	"fmt"
	"strings"

	"goalbert/onnx"
)

// float is a constant of the graph, a scalar of the type that is computed in. Equal constants are one.
func (g *graph) float(v float32) string {
	if g.halfConstants {
		return g.shared("constant.half", v, func(name string) string {
			t, err := onnx.NewHalves(name, nil, []float32{v})
			if err != nil {
				panic(err) // the constants of activations are small
			}
			return g.whole.Initializer(t)
		})
	}
	return g.shared("constant", v, func(name string) string {
		return g.whole.Initializer(onnx.NewFloats(name, nil, []float32{v}))
	})
}

// int64 is a constant scalar.
func (g *graph) int64(v int) string {
	return g.shared("constant.int64", v, func(name string) string {
		return g.whole.Initializer(onnx.NewInt64s(name, nil, []int64{int64(v)}))
	})
}

// int64s is a constant vector, as shapes and axes are.
func (g *graph) int64s(values ...int) string {
	return g.shared("constant.int64s", values, func(name string) string {
		wide := make([]int64, len(values))
		for i, v := range values {
			wide[i] = int64(v)
		}
		return g.whole.Initializer(onnx.NewInt64s(name, []int{len(wide)}, wide))
	})
}

// shared returns the value of that kind and content, which add adds to the graph the first time.
func (g *graph) shared(kind string, content any, add func(name string) string) string {
	name := kind + "." + strings.Trim(strings.ReplaceAll(fmt.Sprint(content), " ", "_"), "[]")
	if _, there := g.constants[name]; !there {
		g.constants[name] = add(name)
	}
	return g.constants[name]
}
