package train

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"

	"goalbert/models"
	"goalbert/tasks"
)

// FinetuneData is what a model is fine-tuned on.
type FinetuneData struct {
	Features []*tasks.Feature
	// Dev is what FinetuneOptions.Evaluate computes scores on; it is only looked at to know it again.
	Dev *tasks.Set
	// WriteTokenizer writes the tokenizer's files into a checkpoint's directory.
	WriteTokenizer func(directory string) error

	fingerprint, devFingerprint string // of the features and of Dev, once they are validated
}

// validate reports the first feature that no model of configuration c can be trained on.
func (d *FinetuneData) validate(c models.Config, weights []float32) error {
	if len(d.Features) == 0 {
		return errors.New("train: there is no feature to train on; give examples with labels")
	}
	for i, f := range d.Features {
		problem := featureProblem(f, c, weights != nil)
		if (f.Targets == nil) != (d.Features[0].Targets == nil) {
			problem = "it has a value and the first one none, or the first one has; give all of them one"
		}
		if problem != "" {
			return fmt.Errorf("train: feature %d, of example %d: %s", i, f.Example, problem)
		}
	}
	d.fingerprint, d.devFingerprint = fingerprintOf(d.Features), fingerprintOfSet(d.Dev)
	return nil
}

// featureProblem says what is wrong with f, if anything is.
func featureProblem(f *tasks.Feature, c models.Config, weighted bool) string {
	if len(f.Sequences) == 0 {
		return "it has no sequence"
	}
	for _, s := range f.Sequences {
		if len(s.InputIDs) == 0 || len(s.InputIDs) > c.MaxPositionEmbeddings {
			return fmt.Sprintf("a sequence of %d tokens, the model takes 1 to %d (max_position_embeddings)",
				len(s.InputIDs), c.MaxPositionEmbeddings)
		}
		if id := slices.Max(s.InputIDs); int(id) >= c.VocabSize {
			return fmt.Sprintf("token %d, the model has %d (vocab_size); take the model's tokenizer", id, c.VocabSize)
		}
	}
	if f.Labels == nil && f.Targets == nil && (c.Architecture != models.BaseModel || len(f.Sequences) < 2) {
		return "it has no label; give examples with labels"
	}
	for _, label := range f.Labels {
		if weighted && int(label) >= c.Labels.Len() {
			return fmt.Sprintf("label %d, the model has %d", label, c.Labels.Len())
		}
	}
	return ""
}

// fingerprintOf is the SHA-256 of the sequences and labels of features, in their order.
func fingerprintOf(features []*tasks.Feature) string {
	h := sha256.New()
	hashFeatures(h, features)
	return hex.EncodeToString(h.Sum(nil))
}

// fingerprintOfSet is that of features and of all that their examples' scores follow from, wherever the examples lie; it is
// empty where there are none.
func fingerprintOfSet(s *tasks.Set) string {
	if s == nil || len(s.Features) == 0 {
		return ""
	}
	h := sha256.New()
	hashFeatures(h, s.Features)
	encoder := json.NewEncoder(h)
	for _, example := range s.Examples {
		e := *example
		e.ID, e.Place, e.Group = "", "", ""
		encoder.Encode(e) // to a hash, of numbers that are finite, there is no error
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashFeatures(h hash.Hash, features []*tasks.Feature) {
	numbers := func(values any, n int) {
		binary.Write(h, binary.LittleEndian, int64(n)) // to a hash there is no error
		binary.Write(h, binary.LittleEndian, values)
	}
	for _, f := range features {
		for _, s := range f.Sequences {
			numbers(s.InputIDs, len(s.InputIDs))
			numbers(s.TokenTypeIDs, len(s.TokenTypeIDs))
		}
		numbers(f.Labels, len(f.Labels))
		numbers(f.Targets, len(f.Targets))
	}
}

// BalancedLabelWeights returns weights of n labels that make all classes count alike, as scikit-learn's balanced ones:
// all labels / (n · labels of the class). A class without any has no weight.
func BalancedLabelWeights(features []*tasks.Feature, n int) []float32 {
	counts, all := make([]int, n), 0
	for _, f := range features {
		for _, label := range f.Labels {
			if label >= 0 && int(label) < n {
				counts[label]++
				all++
			}
		}
	}
	weights := make([]float32, n)
	for i, count := range counts {
		if count > 0 {
			weights[i] = float32(float64(all) / float64(n*count))
		}
	}
	return weights
}

// featureSource makes the steps of an epoch of features.
type featureSource struct {
	features     []*tasks.Feature
	architecture models.Architecture
	batch        int
	microTokens  int
	fixedOrder   bool
	seed         uint64
	labelWeights []float32
}

func newFeatureSource(d *FinetuneData, c models.Config, o *FinetuneOptions) *featureSource {
	return &featureSource{
		features: d.Features, architecture: c.Architecture, batch: o.BatchFeatures, microTokens: o.MicroBatchTokens,
		fixedOrder: o.FixedOrder, seed: o.Seed, labelWeights: o.LabelWeights,
	}
}

// steps returns the optimizer steps of every epoch.
func (s *featureSource) steps() int { return (len(s.features) + s.batch - 1) / s.batch }

// lengthWindow is how many batches are made of features that are sorted by length together: so many that the features of
// a batch are about as long, and so few that they are still a random choice.
const lengthWindow = 50

// order returns the features of each batch of an epoch, by number. It depends on the seed and the epoch alone.
func (s *featureSource) order(epoch uint64) [][]int {
	n := len(s.features)
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	if s.fixedOrder {
		return slices.Collect(slices.Chunk(numbers, s.batch))
	}
	r := random(s.seed, forFeatures, epoch)
	numbers = r.Perm(n)
	var batches [][]int
	for window := range slices.Chunk(numbers, lengthWindow*s.batch) {
		slices.SortStableFunc(window, func(a, b int) int {
			return cmp.Compare(s.features[a].Tokens(), s.features[b].Tokens())
		})
		batches = slices.AppendSeq(batches, slices.Chunk(window, s.batch))
	}
	r.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	return batches
}

// loader makes the steps from a position on, whose index counts batches; the first has that number.
func (s *featureSource) loader(at Position, step uint64) *loader {
	order := s.order(at.Epoch)
	return load(func() *stepBatches {
		if at.Index >= len(order) {
			at = Position{Epoch: at.Epoch + 1}
			order = s.order(at.Epoch)
		}
		prepared := s.step(order[at.Index], step)
		at.Index++
		step++
		prepared.end = at
		return prepared
	})
}

// step makes one of the features of those numbers.
func (s *featureSource) step(numbers []int, step uint64) *stepBatches {
	features := make([]*tasks.Feature, len(numbers))
	for i, number := range numbers {
		features[i] = s.features[number]
	}
	prepared := &stepBatches{}
	for first := 0; len(features) > 0; {
		n := s.microBatch(features)
		b := tasks.Pack(features[:n])
		b.Step, b.FirstSequence, b.LabelWeights = step, first, s.labelWeights
		prepared.batches = append(prepared.batches, b)
		prepared.denominators.Labels += b.LabelDenominator(s.architecture)
		prepared.tokens += b.Tokens()
		first += b.Sequences()
		features = features[n:]
	}
	if prepared.denominators.Labels == 0 { // all are to be ignored: the loss is 0
		prepared.denominators.Labels = 1
	}
	return prepared
}

// microBatch returns how many of the features come into one micro-batch: as many as its tokens, of equal groups. Where
// the others of the batch are what a sentence is told from, all of them.
func (s *featureSource) microBatch(features []*tasks.Feature) int {
	inBatch := s.architecture == models.BaseModel && features[0].Targets == nil
	n, tokens := 0, 0
	for _, f := range features {
		if len(f.Sequences) != len(features[0].Sequences) {
			break
		}
		if tokens += f.Tokens(); tokens > s.microTokens && n > 0 && !inBatch {
			break
		}
		n++
	}
	return n
}
