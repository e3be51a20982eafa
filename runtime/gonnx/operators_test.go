package gonnx

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/onnx"
)

// apply runs one operator on three threads, with inputs that it may write into.
func apply(op string, attributes map[string]any, outputs int, in ...tensor) ([]tensor, error) {
	f, err := buildOperator(op, &nodeAttributes{opset: newestOpset, outputs: outputs, values: attributes})
	if err != nil {
		return nil, err
	}
	owned := slices.Clone(in)
	for i, t := range owned {
		switch data := t.data.(type) {
		case []float32:
			owned[i].data = slices.Clone(data)
		case []int64:
			owned[i].data = slices.Clone(data)
		case []bool:
			owned[i].data = slices.Clone(data)
		}
		owned[i].store, owned[i].dying = &storage{data: owned[i].data, uses: 1}, true
	}
	return f(newRun(3), owned)
}

func must(t *testing.T, op string, attributes map[string]any, in ...tensor) tensor {
	t.Helper()
	out, err := apply(op, attributes, 1, in...)
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out[0]
}

func floats(shape []int, values ...float32) tensor { return tensor{shape: shape, data: values} }
func ints(shape []int, values ...int64) tensor     { return tensor{shape: shape, data: values} }
func vector(values ...int64) tensor                { return ints([]int{len(values)}, values...) }

var random = rand.New(rand.NewPCG(3, 4))

func randomFloats(shape ...int) tensor {
	data := make([]float32, size(shape))
	for i := range data {
		data[i] = float32(random.NormFloat64())
	}
	return floats(shape, data...)
}

func randomInts(low, high int64, shape ...int) tensor {
	data := make([]int64, size(shape))
	for i := range data {
		data[i] = low + random.Int64N(high-low)
	}
	return ints(shape, data...)
}

func randomShape(rank int) []int {
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1 + random.IntN(4)
	}
	return shape
}

// indices lists the coordinates of a shape in order.
func indices(shape []int) (all [][]int) {
	for i := range size(shape) {
		c := make([]int, len(shape))
		for axis := len(shape) - 1; axis >= 0; axis-- {
			c[axis] = i % shape[axis]
			i /= shape[axis]
		}
		all = append(all, c)
	}
	return all
}

// at returns where coordinates c lie in a tensor of shape, which is broadcast to the shape that they are of.
func at(shape, c []int) (offset int) {
	for i, d := range shape {
		offset *= d
		if d != 1 {
			offset += c[len(c)-len(shape)+i]
		}
	}
	return offset
}

// broadcastPairs are shapes that are broadcast to one: random ones, and such that the innermost run is long.
func broadcastPairs() (pairs [][2][]int) {
	for range 200 {
		whole := randomShape(random.IntN(5))
		a, b := slices.Clone(whole), slices.Clone(whole)
		for i := range whole {
			switch random.IntN(3) {
			case 0:
				a[i] = 1
			case 1:
				b[i] = 1
			}
		}
		pairs = append(pairs, [2][]int{a, b[random.IntN(len(b)+1):]})
	}
	return append(pairs, [2][]int{{3, blockSize + 5}, {blockSize + 5}}, [2][]int{{2*blockSize + 1}, {}},
		[2][]int{{}, {2*blockSize + 1}}, [2][]int{{700, 96}, {96}}, [2][]int{{2, 1, 1, 50}, {2, 4, 50, 50}})
}

// Every operator of two operands against the same, written with the coordinates of each element.
func TestBroadcasting(t *testing.T) {
	float := map[string]func(a, b float32) float32{
		"Add": func(a, b float32) float32 { return a + b },
		"Sub": func(a, b float32) float32 { return a - b },
		"Mul": func(a, b float32) float32 { return a * b },
		"Div": func(a, b float32) float32 { return a / b },
		"Pow": func(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) },
	}
	whole := map[string]func(a, b int64) int64{
		"Add": func(a, b int64) int64 { return a + b },
		"Sub": func(a, b int64) int64 { return a - b },
		"Mul": func(a, b int64) int64 { return a * b },
		"Div": func(a, b int64) int64 { return a / b },
		"Pow": func(a, b int64) int64 { return int64(math.Pow(float64(a), float64(b))) },
	}
	for _, pair := range broadcastPairs() {
		a, b := randomFloats(pair[0]...), randomFloats(pair[1]...)
		for op, f := range float {
			checkTensor(t, op, must(t, op, nil, a, b), naive(t, a, b, f))
		}
		x, y := randomInts(-9, 10, pair[0]...), randomInts(1, 5, pair[1]...)
		for op, f := range whole {
			checkTensor(t, op, must(t, op, nil, x, y), naive(t, x, y, f))
		}
		p, q := randomInts(0, 2, pair[0]...), randomInts(0, 2, pair[1]...)
		same := naive(t, p, q, func(a, b int64) bool { return a == b })
		checkTensor(t, "Equal", must(t, "Equal", nil, p, q), same)
		toBool, toFloat := map[string]any{"to": int64(onnx.TensorProto_BOOL)}, map[string]any{"to": int64(onnx.TensorProto_FLOAT)}
		checkTensor(t, "Equal bool", must(t, "Equal", nil, must(t, "Cast", toBool, p), must(t, "Cast", toBool, q)), same)
		checkTensor(t, "Equal float32", must(t, "Equal", nil, must(t, "Cast", toFloat, p), must(t, "Cast", toFloat, q)), same)
		chosen := must(t, "Where", nil, same, a, b)
		for i, c := range indices(same.shape) {
			want := b.data.([]float32)[at(b.shape, c)]
			if same.data.([]bool)[i] {
				want = a.data.([]float32)[at(a.shape, c)]
			}
			if got := chosen.data.([]float32)[i]; got != want {
				t.Fatalf("Where of shapes %v: element %v is %v, want %v", pair, c, got, want)
			}
		}
	}
}

func naive[T, R element](t *testing.T, a, b tensor, f func(a, b T) R) tensor {
	t.Helper()
	shape, err := broadcastShape(a.shape, b.shape)
	if err != nil {
		t.Fatal(err)
	}
	var out []R
	for _, c := range indices(shape) {
		out = append(out, f(a.data.([]T)[at(a.shape, c)], b.data.([]T)[at(b.shape, c)]))
	}
	return tensor{shape: shape, data: out}
}

// Products against sums in float64, within what the terms' size allows.
func TestMatMul(t *testing.T) {
	for _, shapes := range [][2][]int{
		{{3, 4}, {4, 5}}, {{4}, {4, 5}}, {{3, 4}, {4}}, {{4}, {4}}, {{2, 3, 4}, {4, 5}}, {{3, 4}, {2, 4, 5}}, {{2, 3, 4}, {4}},
		{{2, 1, 3, 4}, {3, 4, 5}}, {{2, 3, 7, 9}, {2, 3, 9, 8}}, {{1, 3, 4}, {1, 4, 5}}, {{70, 90}, {90, 300}}, {{300, 90}, {90, 70}},
		{{2, 4, 33, 16}, {2, 4, 16, 33}}, {{3, 0}, {0, 2}}, {{0, 3}, {3, 2}},
	} {
		a, b := randomFloats(shapes[0]...), randomFloats(shapes[1]...)
		checkProducts(t, fmt.Sprint(shapes), must(t, "MatMul", nil, a, b), a, b)
		wholeA, wholeB := randomInts(-5, 6, shapes[0]...), randomInts(-5, 6, shapes[1]...)
		product := must(t, "MatMul", nil, wholeA, wholeB)
		toFloat := map[string]any{"to": int64(onnx.TensorProto_FLOAT)}
		checkTensor(t, "whole numbers", must(t, "Cast", toFloat, product),
			must(t, "MatMul", nil, must(t, "Cast", toFloat, wholeA), must(t, "Cast", toFloat, wholeB)))
	}
}

func checkProducts(t *testing.T, name string, got, a, b tensor) {
	t.Helper()
	s, err := newMatMulShapes(a.shape, b.shape)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.shape, s.out) {
		t.Fatalf("%s: shape %v, want %v", name, got.shape, s.out)
	}
	x, y := a.data.([]float32), b.data.([]float32)
	var want []float32
	var largest float64
	for _, c := range indices(slices.Concat(s.batch, []int{s.m, s.n})) {
		batch, i, j := c[:len(c)-2], c[len(c)-2], c[len(c)-1]
		fromX, fromY := at(s.left, batch)*s.m*s.k+i*s.k, at(s.right, batch)*s.k*s.n+j
		var sum, terms float64
		for p := range s.k {
			term := float64(x[fromX+p]) * float64(y[fromY+p*s.n])
			sum, terms = sum+term, terms+math.Abs(term)
		}
		want, largest = append(want, float32(sum)), max(largest, terms)
	}
	numeric.Check(t, name, got.data.([]float32), want, numeric.Dot32(largest))
}

// A Gemm is the product of its matrices, transposed by hand.
func TestGemm(t *testing.T) {
	for trial := range 40 {
		transA, transB := int64(trial&1), int64(trial>>1&1)
		m, n, k := 1+random.IntN(150), 1+random.IntN(150), 1+random.IntN(70)
		a, b := randomFloats(m, k), randomFloats(k, n)
		c := randomFloats([][]int{{}, {n}, {m, 1}, {1, n}, {m, n}}[trial%5]...)
		product := must(t, "MatMul", nil, a, b)
		want := must(t, "Add", nil, must(t, "Mul", nil, product, floats(nil, 0.5)), must(t, "Mul", nil, c, floats(nil, 2)))
		if transA == 1 {
			a = must(t, "Transpose", nil, a)
		}
		if transB == 1 {
			b = must(t, "Transpose", nil, b)
		}
		attributes := map[string]any{"transA": transA, "transB": transB, "alpha": float32(0.5), "beta": float32(2)}
		got := must(t, "Gemm", attributes, a, b, c)
		numeric.Check(t, "Gemm", got.data.([]float32), want.data.([]float32), numeric.GoldenFloat32)
	}
}

// What moves numbers, against their coordinates.
func TestTransposeAndSlice(t *testing.T) {
	for range 200 {
		x := randomInts(0, 1000, randomShape(1+random.IntN(4))...)
		perm := random.Perm(len(x.shape))
		var order []int64
		for _, axis := range perm {
			order = append(order, int64(axis))
		}
		y := must(t, "Transpose", map[string]any{"perm": order}, x)
		for i, c := range indices(y.shape) {
			from := make([]int, len(c))
			for k, axis := range perm {
				from[axis] = c[k]
			}
			if got, want := y.data.([]int64)[i], x.data.([]int64)[at(x.shape, from)]; got != want {
				t.Fatalf("Transpose %v of shape %v: element %v is %d, want %d", perm, x.shape, c, got, want)
			}
		}
		checkSlice(t, x)
	}
}

// checkSlice slices one axis with what numpy would be given, and walks the positions one by one.
func checkSlice(t *testing.T, x tensor) {
	t.Helper()
	axis := random.IntN(len(x.shape))
	start, end, step := random.IntN(13)-6, random.IntN(13)-6, random.IntN(7)-3
	if step == 0 {
		step = 1
	}
	y := must(t, "Slice", nil, x, vector(int64(start)), vector(int64(end)), vector(int64(axis-len(x.shape))), vector(int64(step)))
	d := x.shape[axis]
	first, stop := start, end
	if first < 0 {
		first += d
	}
	if stop < 0 {
		stop += d
	}
	if step > 0 {
		first = max(first, 0)
	} else {
		first = min(first, d-1)
	}
	var positions []int
	for p := first; p >= 0 && p < d && (step > 0 && p < stop || step < 0 && p > stop); p += step {
		positions = append(positions, p)
	}
	if y.shape[axis] != len(positions) {
		t.Fatalf("Slice [%d:%d:%d] of %d: %d elements, want those at %v", start, end, step, d, y.shape[axis], positions)
	}
	for i, c := range indices(y.shape) {
		c[axis] = positions[c[axis]]
		if got, want := y.data.([]int64)[i], x.data.([]int64)[at(x.shape, c)]; got != want {
			t.Fatalf("Slice [%d:%d:%d] of shape %v: element %v is %d, want %d", start, end, step, x.shape, c, got, want)
		}
	}
}

// Split and Concat undo each other, on every axis and type.
func TestSplitAndConcat(t *testing.T) {
	for range 50 {
		shape := randomShape(3)
		axis := random.IntN(3)
		shape[axis] += 2
		x := randomInts(0, 2, shape...)
		attributes := map[string]any{"axis": int64(axis)}
		for _, to := range []onnx.TensorProto_DataType{onnx.TensorProto_FLOAT, onnx.TensorProto_INT64, onnx.TensorProto_BOOL} {
			y := must(t, "Cast", map[string]any{"to": int64(to)}, x)
			parts, err := apply("Split", attributes, 3, y, vector(1, 0, int64(shape[axis]-1)))
			if err != nil {
				t.Fatal(err)
			}
			checkTensor(t, "Concat of Split", must(t, "Concat", attributes, parts...), y)
		}
	}
	parts, err := apply("Split", map[string]any{"num_outputs": int64(3)}, 3, vector(1, 2, 3, 4, 5, 6, 7))
	if err != nil || len(parts[2].data.([]int64)) != 1 || parts[1].data.([]int64)[0] != 4 {
		t.Errorf("seven elements in three: got %v, error %v", parts, err)
	}
}

// Sums and means over random axes, against sums in float64 by coordinates.
func TestReduce(t *testing.T) {
	for range 200 {
		x := randomFloats(randomShape(1 + random.IntN(4))...)
		var axes []int64
		shape := slices.Clone(x.shape)
		for i := range shape {
			if random.IntN(2) == 0 {
				axes, shape[i] = append(axes, int64(i-len(shape))), 1
			}
		}
		if len(axes) == 0 {
			continue
		}
		sums := make([]float64, size(shape))
		for i, c := range indices(x.shape) {
			sums[at(shape, c)] += float64(x.data.([]float32)[i])
		}
		count := float64(size(x.shape) / size(shape))
		for op, divisor := range map[string]float64{"ReduceSum": 1, "ReduceMean": count} {
			want := make([]float32, len(sums))
			for i, s := range sums {
				want[i] = float32(s / divisor)
			}
			checkTensor(t, op, must(t, op, nil, x, vector(axes...)), floats(shape, want...))
		}
	}
	checkTensor(t, "all", must(t, "ReduceSum", map[string]any{"keepdims": int64(0)}, vector(1, 2, 3)), ints(nil, 6))
	checkTensor(t, "mean of whole numbers", must(t, "ReduceMean", nil, vector(1, 2, 5), vector(0)), vector(2))
}

// A softmax along any axis is that along the last of the transposed input; rows sum to 1.
func TestSoftmaxAxes(t *testing.T) {
	x := randomFloats(3, 5, 4)
	turned := must(t, "Transpose", map[string]any{"perm": []int64{0, 2, 1}}, x)
	want := must(t, "Transpose", map[string]any{"perm": []int64{0, 2, 1}}, must(t, "Softmax", nil, turned))
	got := must(t, "Softmax", map[string]any{"axis": int64(1)}, x)
	checkTensor(t, "Softmax", got, want)
	ones := must(t, "ConstantOfShape", map[string]any{}, vector(3, 1, 4))
	checkTensor(t, "sums", must(t, "ReduceSum", nil, got, vector(1)), must(t, "Add", nil, ones, floats(nil, 1)))
}

func TestSmallOperators(t *testing.T) {
	to := func(d onnx.TensorProto_DataType) map[string]any { return map[string]any{"to": int64(d)} }
	x := floats([]int{2, 2}, -1.7, 0, 0.4, 2.9)
	for _, test := range []struct {
		name      string
		got, want tensor
	}{
		{"Cast to int64", must(t, "Cast", to(onnx.TensorProto_INT64), x), ints([]int{2, 2}, -1, 0, 0, 2)},
		{"Cast to bool", must(t, "Cast", to(onnx.TensorProto_BOOL), x), tensor{shape: []int{2, 2}, data: []bool{true, false, true, true}}},
		{"Cast of bool", must(t, "Cast", to(onnx.TensorProto_INT64), must(t, "Cast", to(onnx.TensorProto_BOOL), x)), ints([]int{2, 2}, 1, 0, 1, 1)},
		{"Relu", must(t, "Relu", nil, vector(-3, 4)), vector(0, 4)},
		{"Neg", must(t, "Neg", nil, vector(-3, 4)), vector(3, -4)},
		{"Range", must(t, "Range", nil, ints(nil, 5), ints(nil, -2), ints(nil, -3)), vector(5, 2, -1)},
		{"Range of nothing", must(t, "Range", nil, ints(nil, 5), ints(nil, 7), ints(nil, -3)), vector()},
		{"Expand", must(t, "Expand", nil, ints([]int{2, 1}, 1, 2), vector(2, 1, 2)), ints([]int{2, 2, 2}, 1, 1, 2, 2, 1, 1, 2, 2)},
		{"Gather", must(t, "Gather", map[string]any{"axis": int64(1)}, ints([]int{2, 2}, 1, 2, 3, 4), ints(nil, -1)), vector(2, 4)},
		{"Reshape", must(t, "Reshape", nil, x, vector(0, -1, 1)), floats([]int{2, 2, 1}, -1.7, 0, 0.4, 2.9)},
		{"Squeeze", must(t, "Squeeze", nil, ints([]int{1, 2, 1}, 1, 2)), vector(1, 2)},
		{"Constant", must(t, "Constant", map[string]any{"value_ints": []int64{1, 2}}), vector(1, 2)},
		{"Pow of whole numbers", must(t, "Pow", nil, vector(3, -3, 7), vector(39, 3, 0)), vector(4052555153018976267, -27, 1)},
		{"Pow by float32", must(t, "Pow", nil, vector(9), floats(nil, 0.5)), vector(3)},
	} {
		checkTensor(t, test.name, test.got, test.want)
	}
}

// What cannot be computed is an error that says why.
func TestOperatorErrors(t *testing.T) {
	matrix := randomFloats(2, 3)
	for _, test := range []struct {
		op         string
		attributes map[string]any
		in         []tensor
		want       string
	}{
		{"Add", nil, []tensor{matrix, randomFloats(2)}, "cannot be broadcast"},
		{"Add", nil, []tensor{matrix, vector(1)}, "a tensor of int64, want float32"},
		{"Div", nil, []tensor{vector(1), vector(0)}, "division of whole numbers by zero"},
		{"Tanh", nil, []tensor{vector(1)}, "a tensor of int64, want float32"},
		{"MatMul", nil, []tensor{matrix, matrix}, "3 and 2 elements are to be multiplied"},
		{"MatMul", nil, []tensor{matrix, floats(nil, 1)}, "scalar"},
		{"Gemm", nil, []tensor{matrix, randomFloats(3, 2), randomFloats(3)}, "cannot be broadcast to [2 2]"},
		{"Gemm", map[string]any{"alpha": int64(1)}, []tensor{matrix, matrix}, `attribute "alpha" holds int64, want float32`},
		{"Gemm", map[string]any{"gamma": int64(1)}, []tensor{matrix, matrix}, `attribute "gamma" is not one of`},
		{"Gather", nil, []tensor{matrix, vector(2)}, "index 2, and the axis has 2 elements"},
		{"Softmax", map[string]any{"axis": int64(2)}, []tensor{matrix}, "axis 2 of a tensor of 2 dimensions"},
		{"LayerNormalization", nil, []tensor{matrix, randomFloats(2)}, "Scale has shape [2]"},
		{"Transpose", map[string]any{"perm": []int64{0, 0}}, []tensor{matrix}, "no order of axes"},
		{"Reshape", nil, []tensor{matrix, vector(4, -1)}, "cannot have shape [4 -1]"},
		{"Reshape", map[string]any{"allowzero": int64(1)}, []tensor{matrix, vector(0, -1)}, "both 0 and -1"},
		{"Reshape", nil, []tensor{matrix, vector(1<<40, 1<<40)}, "cannot have shape"},
		{"Squeeze", nil, []tensor{matrix, vector(0)}, "has not dimension 1"},
		{"Unsqueeze", nil, []tensor{matrix, vector(0, 0)}, "axis 0 is there twice"},
		{"Concat", map[string]any{}, []tensor{matrix}, `attribute "axis" is missing`},
		{"Concat", map[string]any{"axis": int64(0)}, []tensor{matrix, randomFloats(2, 2)}, "only axis 0 may differ"},
		{"Split", nil, []tensor{matrix, vector(3)}, "pieces of [3] elements"},
		{"Slice", nil, []tensor{matrix, vector(0), vector(1), vector(0), vector(0)}, "a step of 0"},
		{"Slice", nil, []tensor{matrix, vector(0), vector(1, 2)}, "1 starts, 2 ends"},
		{"Expand", nil, []tensor{matrix, vector(1<<40, 1, 1)}, "the most that are allowed"},
		{"ConstantOfShape", nil, []tensor{vector(1<<20, 1<<20)}, "the most that are allowed"},
		{"ConstantOfShape", nil, []tensor{vector(-1)}, "impossible shape"},
		{"Range", nil, []tensor{ints(nil, 0), ints(nil, 1<<40), ints(nil, 1)}, "the most that are allowed"},
		{"Range", nil, []tensor{ints(nil, 0), ints(nil, 1), ints(nil, 0)}, "delta is 0"},
		{"Cast", map[string]any{"to": int64(onnx.TensorProto_FLOAT16)}, []tensor{matrix}, "a cast to FLOAT16"},
		{"Constant", nil, nil, "0 attributes"},
		{"ReduceMean", map[string]any{"axes": []int64{0}}, []tensor{matrix}, "from opset 18 on an input"},
		{"Loop", nil, []tensor{matrix}, "the operator is not one of"},
	} {
		_, err := apply(test.op, test.attributes, 1, test.in...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one that says %q", test.op, err, test.want)
		}
	}
}
