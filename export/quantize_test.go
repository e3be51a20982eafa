package export

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/onnx"
)

// quantizedForms are the forms of whole numbers, each way of storing them.
var quantizedForms = []Options{
	{Precision: INT8},
	{Precision: INT8, Layers: Loop},
	{Precision: INT8, Target: VNNI},
	{Precision: INT8, PerTensor: true},
	{Precision: INT4},
}

// ALBERT-base takes at most 13 MB in int8 and 9 MB in int4, with every head: 11,770,112 weights of matrices in a byte or a
// half, with their scales, and 43,698 numbers in float32.
func TestSizeOfQuantizedALBERTBase(t *testing.T) {
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		t.Fatal(err)
	}
	w := models.NewWeights(c)
	for _, o := range []Options{{Precision: INT8}, {Precision: INT8, Layers: Loop}} {
		if size := len(file(t, w, o)); size > 13_000_000 || size < 11_770_112 {
			t.Errorf("%s: the file has %d bytes, want 11,770,112 of weights and little more", o.Form(), size)
		}
	}
	if size := len(file(t, w, Options{Precision: INT4})); size > 9_000_000 || size < 11_770_112/2 {
		t.Errorf("int4: the file has %d bytes, want 5,885,056 of weights, a quarter more of scales, and little else", size)
	}
}

func TestQuantizedReproducible(t *testing.T) {
	for _, architecture := range models.Architectures() {
		w := weights(t, func(c *models.Config) { c.Architecture = architecture })
		for _, o := range quantizedForms {
			o.Version, o.VocabularySHA256, o.Embedding = "1", "abc", architecture == models.BaseModel
			if !bytes.Equal(file(t, w, o), file(t, w, o)) {
				t.Errorf("%s, %s: the same weights gave other bytes", architecture, o.Form())
			}
		}
	}
}

// What the file says of its options are its options.
func TestQuantizedMetadata(t *testing.T) {
	w := weights(t, nil)
	for _, o := range quantizedForms {
		for _, keep := range [][]string{nil, {w.Parameters.Embeddings.Word.Name}, {w.Parameters.Pooler.Weight.Name, w.Parameters.Embeddings.Position.Name}} {
			o.Keep, o.Certification, o.Calibration = keep, NotCertified, `{"measure":"accuracy"}`
			m, err := Model(w, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := OptionsOf(m); !reflect.DeepEqual(got, o.withDefaults()) {
				t.Errorf("the file says that its options were %+v, want %+v", got, o)
			}
		}
	}
}

// In every form each matrix is one tensor of whole numbers, however many layers use it, no weight is off by more than half a
// step of its scale, and everything else is the checkpoint's to the bit. A matrix that is kept is too.
func TestQuantizedWeights(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups, c.InnerGroupNum = 6, 2, 2 })
	w.Tensor(w.Parameters.Pooler.Weight)[0] = 0.7                               // an outlier
	clear(w.Tensor(w.Parameters.LayerGroups[1][0].Key.Weight))                  // all zero
	w.Tensor(w.Parameters.LayerGroups[1][1].Value.Weight)[5] = -1e-42           // nothing but a subnormal, nearly
	clear(w.Tensor(w.Parameters.LayerGroups[1][1].Value.Weight)[128:])          //
	fill(w.Tensor(w.Parameters.LayerGroups[0][1].Dense.Weight), 0.25)           // of one sign
	fill(w.Tensor(w.Parameters.LayerGroups[0][1].FFN.Weight), -math.MaxFloat32) // the largest
	for _, o := range quantizedForms {
		o.Keep = []string{w.Parameters.LayerGroups[0][0].FFNOutput.Weight.Name}
		m, err := Model(w, o)
		if err != nil {
			t.Fatal(err)
		}
		tensors := map[string]*onnx.TensorProto{}
		for _, initializer := range m.Graph.Initializer {
			tensors[initializer.Name] = initializer
		}
		matrices := matrices(w.Parameters)
		for _, p := range w.Parameters.Order {
			if !slices.Contains(matrices, p) || p.Name == o.Keep[0] {
				if values, err := tensors[p.Name].Floats(); err != nil || !slices.Equal(values, w.Tensor(p)) {
					t.Errorf("%s: %s is not the checkpoint's (%v)", o.Form(), p.Name, err)
				}
				continue
			}
			checkSteps(t, o, p, w.Tensor(p), tensors)
		}
	}
}

func fill(values []float32, v float32) {
	for i := range values {
		values[i] = v
	}
}

// checkSteps looks at each weight where the form has it.
func checkSteps(t *testing.T, o Options, p *models.Parameter, values []float32, tensors map[string]*onnx.TensorProto) {
	t.Helper()
	levels, scales, zeros := tensors[p.Name].RawData, tensors[p.Name+".scale"], tensors[p.Name+".zero_point"]
	steps, err := scales.Floats()
	if err != nil {
		t.Fatal(err)
	}
	table := strings.Contains(p.Name, "_embeddings.weight")
	rows, columns := p.Shape[0], p.Shape[1]
	for i, v := range values {
		r, c := i/columns, i%columns
		level, step := 0, 0.0
		if o.Precision == INT4 {
			b := c / 32
			level = int(levels[i/2]>>(4*(i%2))&15) - int(zeros.RawData[r*((columns/32+1)/2)+b/2]>>(4*(b%2))&15)
			step = float64(steps[r*columns/32+b])
		} else {
			at := c*rows + r
			if table {
				at = i
			}
			level, step = int(int8(levels[at])), float64(steps[r])
		}
		if math.Abs(float64(level)*step-float64(v)) > step/2*(1+1e-6) {
			t.Fatalf("%s: %s: weight %d is %v, stored as %d steps of %v", o.Form(), p.Name, i, v, level, step)
		}
	}
	if o.PerTensor && slices.Min(steps) != slices.Max(steps) {
		t.Errorf("%s has scales from %v to %v, want one", p.Name, slices.Min(steps), slices.Max(steps))
	}
	if !o.PerTensor && len(steps) > 2 && strings.Contains(p.Name, "query") && slices.Min(steps) == slices.Max(steps) {
		t.Errorf("%s has one scale, %v", p.Name, steps[0])
	}
}

// Without VNNI a processor adds two products of an unsigned and a signed byte in sixteen bits. No two weights that are
// multiplied are so large that this could overflow, whatever the activations and the checkpoint are; those for VNNI are.
func TestNoTwoProductsOverflow(t *testing.T) {
	w := weights(t, nil)
	for i, v := range w.Data { // the largest of both signs, in every matrix
		w.Data[i] = float32(math.Copysign(1, float64(v)))
	}
	fill(w.Tensor(w.Parameters.Pooler.Weight), -1) // of one sign, so that the lowest level is used
	largest := func(o Options) (most int) {
		m, err := Model(w, o)
		if err != nil {
			t.Fatal(err)
		}
		embeddings := w.Parameters.Embeddings
		for _, initializer := range m.Graph.Initializer {
			if initializer.DataType != int32(onnx.TensorProto_INT8) ||
				initializer.Name == embeddings.Position.Name || initializer.Name == embeddings.TokenType.Name {
				continue
			}
			for _, level := range initializer.RawData {
				most = max(most, 2*255*int(int8(level)), -2*255*int(int8(level)))
			}
		}
		return most
	}
	for _, layers := range []Layers{Unrolled, Loop} {
		if most := largest(Options{Precision: INT8, Layers: layers}); most != 2*255*64 || most > math.MaxInt16 {
			t.Errorf("%s: two products are up to %d, want 32,640, and at most 32,767", layers, most)
		}
	}
	if most := largest(Options{Precision: INT8, Target: VNNI}); most <= math.MaxInt16 {
		t.Errorf("for VNNI two products are up to %d, and would not overflow: eight bits are not used", most)
	}
}

// Zero points make the blocks of normal weights more exact than a zero in the middle would.
func TestZeroPointsAreWorthTheirBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	with, without := 0.0, 0.0
	for range 1000 {
		weights := make([]float32, block)
		for i := range weights {
			weights[i] = float32(random.NormFloat64())
		}
		low, high := extremes(weights)
		scale, zero := blockScale(weights)
		middle := positive(max(-low/8, high/7))
		for _, v := range weights {
			with += math.Pow(float64(v)-nearest(v, scale, -zero, 15-zero)*float64(scale), 2)
			without += math.Pow(float64(v)-nearest(v, middle, -8, 7)*float64(middle), 2)
		}
	}
	if share := math.Sqrt(with / without); share > 0.9 {
		t.Errorf("the error with zero points is %.3f of that without, want at most 0.9", share)
	}
}

// q, k and v round their input once; the embeddings are stored once for lookup and decoder.
func TestQuantizedGraph(t *testing.T) {
	for _, layers := range []Layers{Unrolled, Loop} {
		m, err := Model(weights(t, nil), Options{Precision: INT8, Layers: layers})
		if err != nil {
			t.Fatal(err)
		}
		nodes := slices.Clone(m.Graph.Node)
		for _, n := range m.Graph.Node {
			for _, a := range n.Attribute {
				nodes = append(nodes, a.GetG().GetNode()...)
			}
		}
		counts := map[string]int{}
		for _, n := range nodes {
			counts[n.OpType]++
			if n.Domain != "" {
				t.Errorf("%s is of domain %s", n.Name, n.Domain)
			}
		}
		uses := 2 // of the layer
		if layers == Loop {
			uses = 1
		}
		if counts["DynamicQuantizeLinear"] != 4*uses+4 || counts["MatMulInteger"] != 6*uses+4 || counts["Gemm"] != 1 {
			t.Errorf("%s: operators are %v, want %d roundings, %d integer products, and one Gemm, of the sentence objective",
				layers, counts, 4*uses+4, 6*uses+4)
		}
	}
}

func TestQuantizedRefusals(t *testing.T) {
	for want, o := range map[string]Options{
		"precision int8 has layers unrolled or loop: a function would take every scale":          {Precision: INT8, Layers: Function},
		"precision int4 has layers unrolled: its operators are ONNX Runtime's own, and layers l": {Precision: INT4, Layers: Loop},
		"precision int4 has layers unrolled: its operators are ONNX Runtime's own, and layers f": {Precision: INT4, Layers: Function},
		`target is "avx", want vnni, or none for every processor`:                                {Precision: INT8, Target: "avx"},
		"scales per tensor are options of precision int8, whose":                                 {Precision: INT4, PerTensor: true},
		"a target and scales per tensor are options of precision int8, whose":                    {Target: VNNI},
		"matrices are kept in fp32 of precision int8 and int4, the precision is fp16":            {Precision: FP16, Keep: []string{"a"}},
		`"a", to be kept in fp32, is no matrix of the model, or is named twice; there are albert.embeddings.word_embeddings.weight, `: {
			Precision: INT4, Keep: []string{"a"}},
		`"albert.pooler.weight", to be kept in fp32, is no matrix of the model, or is named twice`: {
			Precision: INT8, Keep: []string{"albert.pooler.weight", "albert.pooler.weight"}},
	} {
		if _, err := Model(weights(t, nil), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	odd := weights(t, func(c *models.Config) { c.EmbeddingSize = 24 })
	if _, err := Model(odd, Options{Precision: INT4}); err == nil ||
		!strings.Contains(err.Error(), "albert.embeddings.word_embeddings.weight has 24 columns, no multiple; choose int8") {
		t.Errorf("got error %v", err)
	}
	if _, err := Model(odd, Options{Precision: INT8}); err != nil {
		t.Error(err)
	}
	damaged := weights(t, nil)
	damaged.Tensor(damaged.Parameters.Pooler.Weight)[3] = float32(math.NaN())
	for _, p := range []Precision{INT8, INT4} {
		if _, err := Model(damaged, Options{Precision: p}); err == nil || !strings.Contains(err.Error(), "albert.pooler.weight has NaN at 3, want a number") {
			t.Errorf("got error %v", err)
		}
	}
}
