package export

import "strings"

// cells are the forms that a file can have; every other is refused.
var cells = []Options{
	{Precision: FP32, Layers: Unrolled},
	{Precision: FP32, Layers: Loop},
	{Precision: FP32, Layers: Function},
	{Precision: FP16, Layers: Unrolled},
	{Precision: FP16, Layers: Loop},
	{Precision: FP16, Layers: Function},
}

// Cells lists the forms that a file can have, of every head.
func Cells() []Options { return append([]Options(nil), cells...) }

// Form names the form of a file: fp16 loop.
func (o Options) Form() string {
	if o.Precision == "" {
		o.Precision = FP32
	}
	if o.Layers == "" {
		o.Layers = Unrolled
	}
	return strings.Join([]string{string(o.Precision), string(o.Layers)}, " ")
}
