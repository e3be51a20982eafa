package numeric

import "math"

// Tolerance admits a difference of at most Absolute + Relative·|want|.
type Tolerance struct{ Absolute, Relative float64 }

// u16, u32 and u64 are the unit roundoffs: half the distance from 1 to the next number.
const (
	u16 = 0x1p-11
	u32 = 0x1p-24
	u64 = 0x1p-53
)

// The tolerances. Loosening one needs a sentence in the commit that does it.
var (
	// Exact admits nothing: copies, and integers.
	Exact = Tolerance{}

	// SameSum64 is for one sum made in two orders in float64. A sum of n terms of size about 1 is off by at most
	// n·u64 (Higham, Accuracy and Stability, 4.2); with n up to 10⁴ that is 1.1e-12.
	SameSum64 = Tolerance{Absolute: 1e4 * u64, Relative: 1e4 * u64}

	// FiniteDifference is for central differences of step 1e-6 in float64. The truncation error is h²/6·f‴, 2e-13 for
	// derivatives near 1; the rounding error u64·|f|/h is 1e-10 for f near 1, and about 1e-9 was seen for losses near
	// 10. PyTorch's gradcheck admits 1e-5 and 1e-3.
	FiniteDifference = Tolerance{Absolute: 1e-7, Relative: 1e-5}

	// GoldenFloat64 is for our float64 model against PyTorch's in float64. Both round every operation to u64 and sum
	// a few hundred terms in different orders, over some twenty operations in a row: 20·500·u64 = 1e-12. On the golden
	// files 9.1e-15 was seen.
	GoldenFloat64 = Tolerance{Absolute: 1e-12, Relative: 1e-12}

	// GoldenFloat32 is for our float32 model against values computed in float64. PyTorch's own default for one float32
	// operation is 1.3e-6 and 1e-5 (torch.testing); a model is some twenty in a row, each adding its own error. On
	// the golden files PyTorch's float32 uses a fifth of it: 4.0e-6 of 1 + |want| for activations, 2.7e-6 for
	// gradients (tools/golden/float32.py).
	GoldenFloat32 = Tolerance{Absolute: 2e-5, Relative: 2e-5}

	// Engine is for an exported model in an inference engine against the native one, both in float32: what
	// transformers' own ALBERT integration test admits (rtol = atol = 1e-4), and most ONNX exporters with it.
	Engine = Tolerance{Absolute: 1e-4, Relative: 1e-4}

	// EngineHalf is for an exported model whose weights and products are float16. A layer rounds ten values in a row
	// (input, query, scores, probabilities, context, dense, input, ffn, activation, ffn_output), weights included as many
	// again; after twelve layers these are 240 errors of up to u16 of values near 1, each with deviation u16/√3, which
	// add up to √240·u16/√3 = 4.4e-3. The largest of 10⁵ such sums is 4.4 deviations: 1.9e-2. On the
	// golden files ONNX Runtime on a processor, which rounds weights and stored values alone, uses two fifths of it.
	EngineHalf = Tolerance{Absolute: 40 * u16, Relative: 40 * u16}

	// EngineInt8 is for an exported model of int8 products against a float32 model of the same weights, multiplied out: what
	// remains is that activations are rounded. Twelve layers round 53 of them, which is a noise of 8 % (see Int8Noise) of
	// logits of deviation 1.6, that of sixteen products of a norm's output and embeddings of 0.4; the largest of 10⁴ is 4
	// deviations: 0.5. Whether the noise is no more than that of rounding is for Int8Noise to say.
	EngineInt8 = Tolerance{Absolute: 0.5, Relative: 0.1}

	// TrainingLoss32 is for ten losses of a training in float32 against float64: what llm.c admits of its float32
	// training against PyTorch's. On the golden files PyTorch's float32 is off by at most 2.1e-6.
	TrainingLoss32 = Tolerance{Absolute: 1e-5, Relative: 1e-5}

	// TrainingNorm32 is for the gradient norms of such a training, a derivative of the loss: on the golden files our
	// float32 is off by at most 6.7e-5 at norms near 7, a tenth of it.
	TrainingNorm32 = Tolerance{Absolute: 1e-4, Relative: 1e-4}

	// TrainedWeights32 is for the weights after ten updates of 3e-4 to 4e-3: a hundredth of a small update, because an
	// update is a quotient of gradients, which are known to GoldenFloat32. On the golden files 3.4e-6 was seen.
	TrainedWeights32 = Tolerance{Absolute: 1e-5, Relative: 1e-5}
)

// Int8Noise is how far values may be off, as a share of their root mean square, after that many activations in a row were
// rounded to 256 levels. Their range is up to ten deviations, so a level is 10/255 of one; the error is uniform within a level,
// 10/255/√12 = 1.1 % of the deviation, and as large a share of a product with it. Errors of roundings in a row add as squares.
// On the golden files 83 % of it were seen.
func Int8Noise(roundings int) float64 { return math.Sqrt(float64(roundings)/12) * 10 / 255 }

// BF16 is how far a gradient whose products round their factors to bf16 may be from that in float32, as a share of the
// norm. Rounding two factors is off by at most 2·2⁻⁹ = 0.4 %, for random signs by less in a sum; over some twenty products
// in a row, √20 as much: 1.7 %.
const BF16 = 0.017

// HalfStep is for a number that is stored as the nearest of levels that are a step apart, at most 128 from 0: half of the step.
// The step, and the product of level and step, are rounded to float32, each by u32 of up to 128 steps. No step is smaller than
// the least normal number.
func HalfStep(step float64) Tolerance {
	return Tolerance{Absolute: max(step, 0x1p-126) * (0.5 + 256*u32)}
}

// Dot32 is for a float32 dot product, given the sum of the absolute values of its terms: in random trials of n = 64 to
// 30,000 terms the error stayed below 5·u32·Σ|terms| in sequential order and below 1.1·u32·Σ|terms| in eight lanes.
// The rigorous bound has the factor n.
func Dot32(sumOfAbsoluteTerms float64) Tolerance {
	return Tolerance{Absolute: 16 * u32 * sumOfAbsoluteTerms}
}

// share returns the share of the tolerance that a difference uses: at most 1 is within.
func (t Tolerance) share(got, want float64) float64 {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return 0
	}
	if share := math.Abs(got-want) / (t.Absolute + t.Relative*math.Abs(want)); !math.IsNaN(share) {
		return share
	}
	return math.Inf(1) // one is NaN, or both are infinite and differ
}
