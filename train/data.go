package train

import (
	"errors"
	"fmt"

	"goalbert/models"
	"goalbert/tokenizer"
)

// Data is what a model is pre-trained on.
type Data struct {
	Documents  Documents
	Vocabulary *Vocabulary
	// WriteTokenizer writes the tokenizer's files into a checkpoint's directory.
	WriteTokenizer func(directory string) error
}

// NewData returns documents as what a model is pre-trained on; t made their tokens.
func NewData(documents Documents, t tokenizer.Tokenizer) *Data {
	return &Data{
		Documents: documents, Vocabulary: NewVocabulary(t),
		WriteTokenizer: func(directory string) error { return tokenizer.Save(t, directory) },
	}
}

// validate reports what no model of configuration c can be trained on.
func (d *Data) validate(c models.Config) error {
	v := d.Vocabulary
	if v.Size() > c.VocabSize {
		return fmt.Errorf("train: the tokenizer has %d pieces, the model has room for %d (vocab_size); "+
			"set vocab_size to the tokenizer's", v.Size(), c.VocabSize)
	}
	if d.Documents.Len() == 0 {
		return errors.New("train: the text has no documents; give a file with one sentence a line")
	}
	for i := range d.Documents.Len() {
		if d.Documents.Sentences(i) == 0 {
			return fmt.Errorf("train: document %d has no sentences", i)
		}
		for j := range d.Documents.Sentences(i) {
			sentence := d.Documents.Sentence(i, j)
			if len(sentence) == 0 {
				return fmt.Errorf("train: document %d: sentence %d has no tokens", i, j)
			}
			for _, id := range sentence {
				if id < 0 || int(id) >= v.Size() {
					return fmt.Errorf("train: document %d: sentence %d has token %d, the vocabulary has %d; "+
						"tokenize the text with this vocabulary", i, j, id, v.Size())
				}
			}
		}
	}
	return nil
}

// Plan says what a run is about to do.
type Plan struct {
	Step                int     `json:"-"`     // where it starts
	Steps               int     `json:"steps"` // of the whole run
	TokensPerStep       float64 `json:"tokens_per_step"`
	TrainingDocuments   int     `json:"training_documents"`
	HeldOutDocuments    int     `json:"held_out_documents"`
	DroppedSentences    int     `json:"dropped_sentences"`  // held-out sentences that occur in training
	HeldOutSequences    int     `json:"held_out_sequences"` // of every evaluation
	UnigramLoss         float64 `json:"unigram_loss"`       // the unigram reference on them, nats a token
	MajoritySentence    float64 `json:"majority_sentence"`  // accuracy of always answering the commoner sentence label
	CheckpointDirectory string  `json:"-"`                  // resumed from; empty at the start
}

// prepare splits the documents and makes the fixed held-out instances, nil if nothing is held out.
func prepare(d *Data, o *Options) (*source, *heldOutSet, *Plan, error) {
	training, held, dropped, err := split(d.Documents, o.HeldOut, o.Seed)
	if err != nil {
		return nil, nil, nil, err
	}
	s := &source{documents: training, vocabulary: d.Vocabulary, segments: o.Segments, masking: o.Masking, seed: o.Seed}
	p := &Plan{TrainingDocuments: training.Len(), HeldOutDocuments: held.Len(), DroppedSentences: dropped}
	p.TokensPerStep = s.meanTokens() * float64(o.BatchSequences)
	if held.Len() == 0 {
		return s, nil, p, nil
	}
	heldSource := *s
	heldSource.documents = held
	u := newUnigram(training, d.Vocabulary.Size())
	h := newHeldOutSet(&heldSource, o.HeldOutSequences, o.MicroBatchSequences, u)
	p.HeldOutSequences, p.UnigramLoss, p.MajoritySentence = h.sequences, h.unigramLoss, h.majority
	return s, h, p, nil
}
