package parity_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// quantizedCells are the forms of whole numbers, each way of storing them.
var quantizedCells = []export.Options{
	{Layers: export.Unrolled, Precision: export.INT8},
	{Layers: export.Loop, Precision: export.INT8},
	{Layers: export.Unrolled, Precision: export.INT8, Target: export.VNNI},
	{Layers: export.Unrolled, Precision: export.INT8, PerTensor: true},
	{Layers: export.Unrolled, Precision: export.INT4},
}

// openQuantized exports w and opens it, beside the weights that the file holds.
func openQuantized(t *testing.T, w *models.Weights, o export.Options) (*onnx.ModelProto, runtime.Session, *models.Weights) {
	t.Helper()
	m, path := exportedWith(t, w, o)
	session, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	held, err := parity.Dequantized(m, w.Config)
	if err != nil {
		t.Fatal(err)
	}
	return m, session, held
}

// Every golden configuration and every head, in every form of whole numbers: the file holds the checkpoint to half a step, and
// ONNX Runtime computes what native does with the weights that the file holds: of int4 within the tolerance of float32, of int8
// as near as activations rounded to eight bits allow.
func TestQuantizedExportsInONNXRuntime(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	check := func(t *testing.T, w *models.Weights) {
		for _, o := range quantizedCells {
			m, session, held := openQuantized(t, w, o)
			checkParityWith(t, w, m, session, held)
			if o.Precision == export.INT8 {
				checkNoise(t, session, held)
			}
		}
	}
	for _, name := range goldenNames {
		t.Run(name, func(t *testing.T) { check(t, openGolden(t, name).weights) })
	}
	for name := range goldenHeads {
		t.Run("heads/"+name, func(t *testing.T) { check(t, openHead(t, name).weights) })
	}
}

// Weights that are near the largest of their column and of one sign, on activations near the highest level: two products of
// eight bits are far above what sixteen bits hold, and an engine on a processor without VNNI would be wrong. Of seven bits
// they fit on every processor: 2·255·64 = 32,640.
func TestSaturatingProducts(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	w := openGolden(t, "base").weights
	random := rand.New(rand.NewPCG(9, 9))
	for _, p := range w.Parameters.Order {
		if len(p.Shape) != 2 {
			continue
		}
		values, columns := w.Tensor(p), p.Shape[1]
		for r := range p.Shape[0] {
			sign := 1 - 2*random.Float32()
			for c := range columns {
				values[r*columns+c] = float32(math.Copysign(0.2-0.02*random.Float64(), float64(sign)))
			}
		}
	}
	for p := range w.Parameters.Norms() {
		if strings.HasSuffix(p.Name, ".bias") {
			for i := range w.Tensor(p) {
				w.Tensor(p)[i] = 8 // every activation is near the highest
			}
		}
	}
	o := export.Options{Precision: export.INT8}
	_, session, held := openQuantized(t, w, o)
	checkNoise(t, session, held)
	vnni, _ := exportedWith(t, w, export.Options{Precision: export.INT8, Target: export.VNNI})
	query := initializer(vnni.Graph, w.Parameters.LayerGroups[0][0].Query.Weight.Name).RawData
	columns := w.Config.HiddenSize
	overflowing := 0
	for column := range columns { // of activations at 200 of 255
		if a, b := int(int8(query[column])), int(int8(query[columns+column])); max(200*(a+b), -200*(a+b)) > math.MaxInt16 {
			overflowing++
		}
	}
	if overflowing != columns {
		t.Errorf("with eight bits %d of %d columns would overflow, want all: the case is not one", overflowing, columns)
	}
}

// The tokens of the saturating batch have pairs of products that sixteen bits do not hold, with weights of eight bits and as the
// batch is rounded as a whole; other tokens have fewer, and with seven bits there is none.
func TestSaturatingBatch(t *testing.T) {
	config, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	w := parity.RandomWeights(config, 4)
	mapping := w.Tensor(w.Parameters.EmbeddingHiddenMapping.Weight)
	overflowing := func(b parity.Batch, highest float64) (pairs int) {
		out, err := native.NewWithTensors(w, 1).Run(context.Background(), b.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		x := out[models.EmbeddingsOutput].Data.([]float32)
		low, high := float64(min(0, slices.Min(x))), float64(max(0, slices.Max(x)))
		step := (high - low) / 255
		zero := math.RoundToEven(-low / step)
		size := config.EmbeddingSize
		for at := 0; at < len(x); at += size {
			for row := 0; row < len(mapping); row += size {
				most := 0.0
				for _, v := range mapping[row : row+size] {
					most = max(most, math.Abs(float64(v)))
				}
				product := func(i int) float64 {
					return (math.RoundToEven(float64(x[at+i])/step) + zero) * math.RoundToEven(float64(mapping[row+i])/most*highest)
				}
				for i := 0; i+1 < size; i += 2 {
					if math.Abs(product(i)+product(i+1)) > math.MaxInt16 {
						pairs++
					}
				}
			}
		}
		return pairs
	}
	b := parity.Saturating(w)
	shape := b.Inputs[models.InputIDs].Shape
	usual := parity.Batches(sequences(config, slices.Repeat([]int{shape[1]}, shape[0])...), config.PadTokenID)
	worst, ordinary, seven := overflowing(b, 127), overflowing(usual[len(usual)-2], 127), overflowing(b, 63)
	if worst == 0 || worst <= ordinary || seven > 0 {
		t.Errorf("%d pairs overflow, of ordinary tokens %d, with seven bits %d", worst, ordinary, seven)
	}
}

// checkNoise compares the root mean square of the differences, at attended positions of outputs that have some for each token,
// with that of rounding: four activations a layer, those of the mapping before, and of dense and decoder or pooler after.
func checkNoise(t *testing.T, session runtime.Session, w *models.Weights) {
	t.Helper()
	layers := w.Config.NumHiddenLayers * w.Config.InnerGroupNum
	most := numeric.Int8Noise(4*layers + 3)
	reference := native.New(w, 1)
	for _, b := range parity.Batches(sequences(w.Config, 7, 16), w.Config.PadTokenID) {
		if w.Config.Architecture == models.ForMultipleChoice {
			continue // one number a sequence
		}
		got, err := session.Run(context.Background(), b.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		want, err := reference.Run(context.Background(), b.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		mask := b.Inputs[models.AttentionMask].Data.([]int64)
		for _, name := range session.Outputs() {
			g, x := got[name].Data.([]float32), want[name].Data.([]float32)
			if len(x) < 16*len(mask) {
				continue // too few numbers for a mean
			}
			noise, signal := 0.0, 0.0
			for i := range x {
				if mask[i*len(mask)/len(x)] == 1 {
					noise += math.Pow(float64(g[i])-float64(x[i]), 2)
					signal += math.Pow(float64(x[i]), 2)
				}
			}
			if share := math.Sqrt(noise / signal); share > most || share == 0 {
				t.Errorf("%s, %s: a noise of %.2f %%, want at most %.2f %%", name, b.Name, 100*share, 100*most)
			} else {
				t.Logf("%s, %s: a noise of %.2f %% of %.2f %%", name, b.Name, 100*share, 100*most)
			}
		}
	}
}

// An exporter that rounds wrong, and so gives the same wrong file again, is found by the checkpoint itself: levels that are
// off, a step that is too wide, even if all levels are right for it.
func TestWrongQuantizerIsFound(t *testing.T) {
	w := openGolden(t, "groups").weights
	query := w.Parameters.LayerGroups[1][0].Query.Weight
	for _, o := range quantizedCells {
		for what, damage := range map[string]func(g *onnx.GraphProto){
			"a level": func(g *onnx.GraphProto) { initializer(g, query.Name).RawData[7] ^= 4 },
			"a scale": func(g *onnx.GraphProto) { scaleBy(initializer(g, query.Name+".scale"), 1.1) },
			"a wide step": func(g *onnx.GraphProto) {
				scaleBy(initializer(g, query.Name+".scale"), 4)
				levels := initializer(g, query.Name)
				if o.Precision == export.INT8 {
					for i, level := range levels.RawData {
						levels.RawData[i] = byte(int8(math.RoundToEven(float64(int8(level)) / 4)))
					}
				}
			},
		} {
			m, _ := exportedWith(t, w, o)
			damage(m.Graph)
			findings, err := parity.File("wrong.onnx", m, w, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if f.Tensor == query.Name+", dequantized" && f.OK {
					t.Errorf("%s: %s was changed, and the weights are said to be right: %+v", o.Precision, what, f)
				}
				if strings.HasSuffix(f.Tensor, ", dequantized") && !strings.HasPrefix(f.Tensor, query.Name) && (!f.OK || f.Share < 0.7) {
					t.Errorf("%s: %s is said to be wrong, or no weight is as far off as it may: %+v", o.Precision, f.Tensor, f)
				}
			}
		}
	}
}

func scaleBy(t *onnx.TensorProto, factor float32) {
	for at := 0; at < len(t.RawData); at += 4 {
		v := math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[at:]))
		binary.LittleEndian.PutUint32(t.RawData[at:], math.Float32bits(v*factor))
	}
}

// Files whose parts do not fit together are an error, and a mismatch in the report.
func TestDamagedQuantizedFiles(t *testing.T) {
	w := openGolden(t, "base").weights
	query := w.Parameters.LayerGroups[0][0].Query.Weight.Name
	for want, damage := range map[string]func(g *onnx.GraphProto){
		query + " is missing":                                 func(g *onnx.GraphProto) { initializer(g, query).Name = "x" },
		query + ".scale is missing":                           func(g *onnx.GraphProto) { initializer(g, query+".scale").Name = "x" },
		query + " has no zero points":                         func(g *onnx.GraphProto) { initializer(g, query+".zero_point").Name = "x" },
		query + " has 512 bytes of levels, 1 s":               func(g *onnx.GraphProto) { cut(initializer(g, query+".scale"), 4) },
		query + " has 512 bytes of levels, 32 scales and 3 b": func(g *onnx.GraphProto) { cut(initializer(g, query+".zero_point"), 3) },
		"predictions.bias is of UINT8 in the file, want a matrix": func(g *onnx.GraphProto) {
			bias := initializer(g, "predictions.bias")
			bias.DataType, bias.RawData = int32(onnx.TensorProto_UINT8), make([]byte, 97)
		},
		query + " has 4 bytes of levels": func(g *onnx.GraphProto) { cut(initializer(g, query), 4) },
	} {
		m, _ := exportedWith(t, w, export.Options{Precision: export.INT4})
		damage(m.Graph)
		if _, err := parity.Dequantized(m, w.Config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
		findings, err := parity.File("damaged.onnx", m, w, "")
		if err != nil {
			t.Fatal(err)
		}
		if r := (parity.Report{Findings: findings}); r.OK() {
			t.Errorf("%s: the report is good", want)
		}
	}
	m, _ := exportedWith(t, w, export.Options{Precision: export.INT8})
	cut(initializer(m.Graph, query), 9)
	if _, err := parity.Dequantized(m, w.Config); err == nil || !strings.Contains(err.Error(), "has 9 levels and 32 scales, want 1024 and 32") {
		t.Errorf("got error %v", err)
	}
}

func cut(t *onnx.TensorProto, bytes int) { t.RawData = t.RawData[:bytes] }
