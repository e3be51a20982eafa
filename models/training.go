package models

// IgnoreIndex marks a label that takes no part in the loss, as in PyTorch and transformers.
const IgnoreIndex = -100

// Batch is some sequences without padding: the attended tokens of all of them, one after the other, as rows.
// T counts tokens, B sequences, M masked positions. A position that an attention mask hides is simply absent;
// PositionIDs keeps the places of the others.
type Batch struct {
	InputIDs     []int32 // (T)
	TokenTypeIDs []int32 // (T)
	PositionIDs  []int32 // (T)
	Offsets      []int   // (B+1): sequence b is the rows Offsets[b] to Offsets[b+1], at least one

	MaskedPositions []int32 // (M): rows of (T) whose token the masked-LM head predicts, ascending
	MaskedLabels    []int32 // (M): the token that stood there
	SentenceLabels  []int32 // (B): 0 in order, 1 swapped (SOP) or random (NSP), or IgnoreIndex; nil without that objective

	// What a fine-tuned head should say: one of Labels and Targets, as the architecture has it.
	//
	// Labels are of a cross-entropy, and IgnoreIndex takes no part: (B) the class of each sequence; (T) that of each
	// token; (B, 2) the token, counted within its sequence, at which an answer starts and the one at which it ends, one
	// beyond the sequence being ignored; (B/Group) which of a group's sequences is right, of multiple choice.
	//
	// Targets are (B) of a regression; (B, labels) of labels that do not exclude each other, each from 0 to 1; or
	// (B/Group) the cosine that a pair of sentences should have.
	Labels       []int32
	Targets      []float32
	LabelWeights []float32 // (labels): what each class's cross-entropy is multiplied by; nil is 1 each
	Group        int       // sequences that belong together, one after the other: choices, pairs, triples; 0 is 1

	// What dropout is a function of, besides the seed: the optimizer step, and which of the step's sequences
	// the batch's first one is. A step gives the same masks however it is split into micro-batches.
	Step          uint64
	FirstSequence int
}

// Tokens returns T, the number of tokens of the batch.
func (b *Batch) Tokens() int { return len(b.InputIDs) }

// Sequences returns B, the number of sequences of the batch.
func (b *Batch) Sequences() int { return len(b.Offsets) - 1 }

// GroupSize returns how many sequences belong together, at least 1.
func (b *Batch) GroupSize() int { return max(1, b.Group) }

// LabelDenominator returns what the loss of b is divided by where b is a whole optimizer step of a fine-tuned head: the
// sum of the weights of all its labels, or the number of its targets. The summed loss of a question's answer is divided
// by both of its ends, which makes it the mean of the two.
func (b *Batch) LabelDenominator(a Architecture) float64 {
	if b.Targets != nil {
		return float64(len(b.Targets))
	}
	if a == BaseModel && b.GroupSize() > 1 {
		return float64(b.Sequences() / b.GroupSize())
	}
	sum := 0.0
	for i, label := range b.Labels {
		switch {
		case label == IgnoreIndex:
		case a == ForQuestionAnswering && int(label) >= b.Offsets[i/2+1]-b.Offsets[i/2]:
		case b.LabelWeights != nil:
			sum += float64(b.LabelWeights[label])
		default:
			sum++
		}
	}
	return sum
}

// Denominators are the numbers that the loss sums of one whole optimizer step are divided by. They are known
// before its first micro-batch, so that any split of the step gives the same gradient.
type Denominators struct {
	MaskedTokens float64 // all labels of the masked-LM loss
	Sentences    float64 // all labels of the sentence loss
	Labels       float64 // all labels of a fine-tuned head, each by its weight
}

// Losses are sums over a batch, with what is needed to make means and accuracies of them.
type Losses struct {
	MaskedLM        float64 // Σ cross-entropy of the masked tokens, in nats
	MaskedTokens    int
	MaskedCorrect   int     // masked tokens whose arg max is the label
	Sentence        float64 // Σ cross-entropy of the sentence labels, in nats
	Sentences       int
	SentenceCorrect int
	Task            float64 // Σ loss of a fine-tuned head
	Labels          int
	LabelsCorrect   int // labels that are the arg max, or on whose side of one half the probability is
}

// Add adds other to l.
func (l *Losses) Add(other Losses) {
	l.MaskedLM += other.MaskedLM
	l.MaskedTokens += other.MaskedTokens
	l.MaskedCorrect += other.MaskedCorrect
	l.Sentence += other.Sentence
	l.Sentences += other.Sentences
	l.SentenceCorrect += other.SentenceCorrect
	l.Task += other.Task
	l.Labels += other.Labels
	l.LabelsCorrect += other.LabelsCorrect
}

// Optimizer names an update rule.
type Optimizer string

const (
	AdamW Optimizer = "adamw" // torch.optim.AdamW; without BiasCorrection and with epsilon 1e-6, Google's
	LAMB  Optimizer = "lamb"  // Google's LAMB (arXiv:1904.00962): no bias correction, no clamp of the trust ratio
)

// Hyperparameters are those of one optimizer step.
type Hyperparameters struct {
	Optimizer      Optimizer
	LearningRate   float64
	Beta1, Beta2   float64
	Epsilon        float64
	WeightDecay    float64 // of decayed parameters only
	BiasCorrection bool
	MaxGradNorm    float64 // global-norm clipping; 0 is none
}
