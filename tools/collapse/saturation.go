package main

import (
	"context"
	"fmt"
	"math"

	"goalbert/models"
	"goalbert/onnx"
)

// saturation has the products of a processor without VNNI.
func (b *table) saturation(ctx context.Context, w *models.Weights) error {
	if err := b.section(ctx, "Products of pairs added in 16 bits, as without VNNI", w); err != nil {
		return err
	}
	for _, s := range scales {
		for _, bits := range []int{8, 7} {
			if err := b.row(ctx, fmt.Sprintf("%s, %d bits", s.name, bits), w, intOptions(s.perTensor, bits), saturate); err != nil {
				return err
			}
		}
	}
	return nil
}

// saturate puts in the place of every MatMulInteger what PMADDUBSW makes of it, in float32, whose whole numbers up to 2²⁴ are
// exact: of x (rows, K) unsigned and w (K, N) signed each pair of neighbouring products is added with saturation,
//
//	y = Σₖ clip(x₂ₖ·w₂ₖ + x₂ₖ₊₁·w₂ₖ₊₁, -2¹⁵, 2¹⁵-1) - zero·Σₖ wₖ
//
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2B, PMADDUBSW.
func saturate(m *onnx.ModelProto) error {
	weights := map[string]*onnx.TensorProto{}
	for _, t := range m.Graph.Initializer {
		weights[t.Name] = t
	}
	var nodes []*onnx.NodeProto
	add := func(op, output string, inputs []string, attributes ...*onnx.AttributeProto) string {
		nodes = append(nodes, &onnx.NodeProto{OpType: op, Name: output, Input: inputs, Output: []string{output}, Attribute: attributes})
		return output
	}
	constant := func(t *onnx.TensorProto) string {
		if weights[t.Name] == nil {
			weights[t.Name] = t
			m.Graph.Initializer = append(m.Graph.Initializer, t)
		}
		return t.Name
	}
	float := onnx.Int("to", int64(onnx.TensorProto_FLOAT))
	for _, node := range m.Graph.Node {
		if node.OpType != "MatMulInteger" {
			nodes = append(nodes, node)
			continue
		}
		w := weights[node.Input[1]]
		if w == nil || w.Dims[0]%2 != 0 {
			return fmt.Errorf("%s multiplies by %s, want a stored matrix of an even number of rows", node.Name, node.Input[1])
		}
		levels, err := w.Bytes()
		if err != nil {
			return err
		}
		n := int(w.Dims[1])
		sums := make([]float32, n)
		for i, level := range levels {
			sums[i%n] += float32(signed(level))
		}
		low := constant(onnx.NewFloats("2^15", nil, []float32{1 << 15}))
		top := constant(onnx.NewFloats("2^16-1", nil, []float32{1<<16 - 1}))
		high := constant(onnx.NewFloats("2^15-1", nil, []float32{1<<15 - 1}))
		name := node.Output[0]
		var products []string
		for half, parity := range []string{".even", ".odd"} {
			from := constant(onnx.NewInt64s("from"+parity, []int{1}, []int64{int64(half)}))
			end := constant(onnx.NewInt64s("end", []int{1}, []int64{math.MaxInt64}))
			first, second := constant(onnx.NewInt64s("axis.0", []int{1}, []int64{0})), constant(onnx.NewInt64s("axis.1", []int{1}, []int64{1}))
			two := constant(onnx.NewInt64s("two", []int{1}, []int64{2}))
			x := add("Cast", name+".x"+parity, node.Input[:1], float)
			x = add("Slice", name+".x.half"+parity, []string{x, from, end, second, two})
			x = add("Unsqueeze", name+".x.column"+parity, []string{x, two}) // (rows, K/2, 1)
			y := add("Cast", name+".w"+parity, node.Input[1:2], float)
			y = add("Slice", name+".w.half"+parity, []string{y, from, end, first, two}) // (K/2, N)
			products = append(products, add("Mul", name+".products"+parity, []string{x, y}))
		}
		y := add("Add", name+".pairs", products)
		// Relu(y+2¹⁵) is not less than 0, and 2¹⁶-1-Relu(2¹⁶-1-y) not more than 2¹⁶-1.
		y = add("Add", name+".shifted", []string{y, low})
		y = add("Relu", name+".least", []string{y})
		y = add("Sub", name+".turned", []string{top, y})
		y = add("Relu", name+".most", []string{y})
		y = add("Sub", name+".saturated", []string{high, y})
		y = add("ReduceSum", name+".sum", []string{y, constant(onnx.NewInt64s("axis.1", []int{1}, []int64{1}))}, onnx.Int("keepdims", 0))
		zero := add("Cast", name+".zero", node.Input[2:3], float)
		zero = add("Mul", name+".zeros", []string{zero, constant(onnx.NewFloats(w.Name+".sums", []int{n}, sums))})
		add("Sub", name, []string{y, zero})
	}
	m.Graph.Node = nodes
	return onnx.Check(m)
}

// signed is a byte as a signed number.
func signed(level byte) int { return (int(level)+128)%256 - 128 }
