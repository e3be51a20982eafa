package gonnx

import (
	"fmt"
	"maps"
	"slices"

	"goalbert/onnx"
	"goalbert/runtime"
)

// declaration is what a file says of an input or output.
type declaration struct {
	name     string
	elements onnx.TensorProto_DataType
	shaped   bool
	shape    []dimension
}

// dimension is a number, or one that varies and perhaps has a name.
type dimension struct {
	size int
	name string
}

func (d dimension) String() string {
	switch {
	case d.size > 0:
		return fmt.Sprint(d.size)
	case d.name != "":
		return d.name
	}
	return "?"
}

func newDeclaration(v *onnx.ValueInfoProto) (declaration, error) {
	t := v.GetType().GetTensorType()
	if t == nil {
		return declaration{}, fmt.Errorf("%q is no tensor", v.Name)
	}
	d := declaration{name: v.Name, elements: onnx.TensorProto_DataType(t.ElemType), shaped: t.Shape != nil}
	if d.elements != onnx.TensorProto_FLOAT && d.elements != onnx.TensorProto_INT64 {
		return d, fmt.Errorf("%q is a tensor of %v, want FLOAT or INT64", v.Name, d.elements)
	}
	for _, dim := range t.GetShape().GetDim() {
		d.shape = append(d.shape, dimension{size: int(dim.GetDimValue()), name: dim.GetDimParam()})
	}
	return d, nil
}

// feed returns inputs in the order of their declarations, which they must satisfy.
func feed(declared []declaration, inputs map[string]runtime.Tensor) ([]tensor, error) {
	fed := make([]tensor, len(declared))
	known := map[string]bool{}
	sizes := map[string]int{} // of dimensions that have a name
	for i, d := range declared {
		known[d.name] = true
		t, there := inputs[d.name]
		if !there {
			return nil, fmt.Errorf("input %q is missing", d.name)
		}
		if err := d.check(t, sizes); err != nil {
			return nil, fmt.Errorf("input %q: %w", d.name, err)
		}
		fed[i] = tensor{shape: slices.Clone(t.Shape), data: t.Data}
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if !known[name] {
			return nil, fmt.Errorf("the model has no input %q", name)
		}
	}
	return fed, nil
}

func (d declaration) check(t runtime.Tensor, sizes map[string]int) error {
	var want any = []int64(nil)
	ok := false
	if d.elements == onnx.TensorProto_FLOAT {
		want = []float32(nil)
		_, ok = t.Data.([]float32)
	} else {
		_, ok = t.Data.([]int64)
	}
	if !ok {
		return fmt.Errorf("got %T, want %T", t.Data, want)
	}
	if n, err := checkedSize(t.Shape, maxElements); err != nil || n != length(t.Data) {
		return fmt.Errorf("%d elements for shape %v", length(t.Data), t.Shape)
	}
	if !d.shaped {
		return nil
	}
	fits := len(t.Shape) == len(d.shape)
	for i := 0; fits && i < len(d.shape); i++ {
		fits = d.shape[i].fits(t.Shape[i], sizes)
	}
	if !fits {
		return fmt.Errorf("got shape %v, want %v", t.Shape, d.shape)
	}
	return nil
}

// fits reports whether a dimension may be n; one that has a name is the same everywhere.
func (d dimension) fits(n int, sizes map[string]int) bool {
	if d.size > 0 || d.name == "" {
		return d.size == 0 || d.size == n
	}
	earlier, there := sizes[d.name]
	sizes[d.name] = n
	return !there || earlier == n
}
