package export

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
	"goalbert/runtime/ort"
)

// int8Oracle is what a linear of rounded activations and whole weights is by definition: x (rows, in) in 256 levels of its
// range, with zero as one of them, products and sums of whole numbers.
// https://github.com/onnx/onnx/blob/main/docs/Operators.md#DynamicQuantizeLinear
func int8Oracle(x []float32, levels []int8, scales, bias []float32, in, out int) []float64 {
	low, high := float32(0), float32(0)
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	scale := (high - low) / 255
	zero := math.RoundToEven(min(max(float64(-low/scale), 0), 255))
	y := make([]float64, len(x)/in*out)
	for i := range y {
		row, column := i/out, i%out
		sum := int64(0)
		for k := range in {
			rounded := min(max(math.RoundToEven(float64(x[row*in+k]/scale))+zero, 0), 255)
			sum += int64(rounded-zero) * int64(levels[k*out+column])
		}
		y[i] = float64(sum)*float64(scale)*float64(scales[column]) + float64(bias[column])
	}
	return y
}

// A linear in ONNX Runtime is the whole numbers' to the last bits of float32. Among the weights and activations are those at
// which a processor without VNNI would saturate, all at their extremes and of one sign, if weights had eight bits.
func TestInt8LinearInONNXRuntime(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	normal := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(random.NormFloat64())
		}
		return values
	}
	constant := func(n int, v float32) []float32 {
		values := make([]float32, n)
		fill(values, v)
		return values
	}
	const rows, in, out = 9, 128, 48
	for name, test := range map[string]struct{ x, weight []float32 }{
		"normal":             {normal(rows * in), normal(out * in)},
		"largest":            {constant(rows*in, 3), constant(out*in, 2)},
		"largest, negative":  {constant(rows*in, 3), constant(out*in, -2)},
		"lowest activations": {constant(rows*in, -3), normal(out * in)},
		"one sign":           {normal(rows * in), constant(out*in, -2)},
	} {
		t.Run(name, func(t *testing.T) {
			weight := &models.Parameter{Name: "weight", Shape: []int{out, in}}
			bias := &models.Parameter{Name: "bias", Shape: []int{out}}
			offsets := normal(out)
			b := onnx.NewBuilder("linear")
			g := &graph{
				Builder: b, whole: b, table: &models.Parameters{}, precision: INT8,
				quantized: map[*models.Parameter]bool{weight: true}, rounded: map[string]rounded{},
			}
			g.addInt8(weight, test.weight, Options{Precision: INT8})
			b.Initializer(onnx.NewFloats(bias.Name, bias.Shape, offsets))
			x := b.Input("x", onnx.TensorProto_FLOAT, "rows", in)
			g.linear("y", x, models.Linear{Weight: weight, Bias: bias})
			b.Output("y", onnx.TensorProto_FLOAT, "rows", out)
			m := b.Model(opset)
			if err := b.Payloads().Fill(m); err != nil {
				t.Fatal(err)
			}
			levels := make([]int8, in*out)
			var scales []float32
			for _, initializer := range m.Graph.Initializer {
				switch initializer.Name {
				case weight.Name:
					for i, level := range initializer.RawData {
						levels[i] = int8(level)
					}
				case ScaleName(weight):
					scales, _ = initializer.Floats()
				}
			}
			got := run(t, m, runtime.NewTensor(test.x, rows, in))
			want := int8Oracle(test.x, levels, scales, offsets, in, out)
			for i := range want {
				// Scales, product and sum are each rounded to float32; the oracle's are not.
				if math.Abs(float64(got[i])-want[i]) > 4*0x1p-24*(math.Abs(want[i]-float64(offsets[i%out]))+math.Abs(want[i])) {
					t.Fatalf("element %d is %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
}

// run writes m and runs it on x in ONNX Runtime.
func run(t *testing.T, m *onnx.ModelProto, x runtime.Tensor) []float32 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "linear.onnx")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Write(out, m); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	session, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	outputs, err := session.Run(context.Background(), map[string]runtime.Tensor{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return outputs["y"].Data.([]float32)
}
