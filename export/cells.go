package export

import (
	"slices"
	"strings"
)

// cells are the forms that a file can have; every other is refused.
var cells = []Options{
	{Precision: FP32, Layers: Unrolled},
	{Precision: FP32, Layers: Loop},
	{Precision: FP32, Layers: Function},
	{Precision: FP16, Layers: Unrolled},
	{Precision: FP16, Layers: Loop},
	{Precision: FP16, Layers: Function},
	{Precision: FP32, Layers: Unrolled, Fuse: FuseORT},
	{Precision: FP16, Layers: Unrolled, Fuse: FuseORT},
	{Precision: INT8, Layers: Unrolled},
	{Precision: INT8, Layers: Loop},
	{Precision: INT4, Layers: Unrolled},
}

// Cells lists the forms that a file of every head can have.
func Cells() []Options { return slices.Clone(cells) }

// Form names the form of a file: fp16 loop.
func (o Options) Form() string {
	if o.Precision == "" {
		o.Precision = FP32
	}
	if o.Layers == "" {
		o.Layers = Unrolled
	}
	words := []string{string(o.Precision), string(o.Layers)}
	if o.Fuse != "" {
		words = append(words, "fused for "+string(o.Fuse))
	}
	if o.Target != "" {
		words = append(words, "for "+string(o.Target))
	}
	if o.PerTensor {
		words = append(words, perTensor)
	}
	if len(o.Keep) > 0 {
		words = append(words, "in part "+string(FP32))
	}
	return strings.Join(words, " ")
}
