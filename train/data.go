package train

import (
	"errors"
	"fmt"

	"goalbert/corpus"
	"goalbert/models"
	"goalbert/tokenizer"
)

// Data is what a model is pre-trained on.
type Data struct {
	Corpus     corpus.Blocks
	Vocabulary *Vocabulary
	// WriteTokenizer writes the tokenizer's files into a checkpoint's directory.
	WriteTokenizer func(directory string) error

	fingerprint string // of the corpus, once it is validated
}

// NewData returns a corpus as what a model is pre-trained on; t made its tokens.
func NewData(b corpus.Blocks, t tokenizer.Tokenizer) *Data {
	return &Data{
		Corpus: b, Vocabulary: NewVocabulary(t),
		WriteTokenizer: func(directory string) error { return tokenizer.Save(t, directory) },
	}
}

// validate reads the corpus once and reports what no model of configuration c can be trained on.
func (d *Data) validate(c models.Config) error {
	v := d.Vocabulary
	if v.Size() > c.VocabSize {
		return fmt.Errorf("train: the tokenizer has %d pieces, the model has room for %d (vocab_size); "+
			"set vocab_size to the tokenizer's", v.Size(), c.VocabSize)
	}
	if d.Corpus.Len() == 0 {
		return errors.New("train: the text has no documents; give a file with one sentence a line")
	}
	var err error
	d.fingerprint, err = survey(d.Corpus, v.Size())
	return err
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
	Features            int     `json:"-"`                  // of a fine-tuning, which has no documents
}

// prepare divides the corpus and makes the fixed held-out instances, nil if nothing is held out.
func prepare(d *Data, o *Options) (*source, *heldOutSet, *Plan, error) {
	parts, err := split(d.Corpus, o.HeldOut, o.Seed, d.Vocabulary.Size())
	if err != nil {
		return nil, nil, nil, err
	}
	s := newSource(parts.training, d.Vocabulary, o)
	p := &Plan{
		TrainingDocuments: parts.training.Len(), HeldOutDocuments: parts.heldOut.Len(), DroppedSentences: parts.dropped,
	}
	mean, err := s.meanTokens()
	if err != nil {
		return nil, nil, nil, err
	}
	p.TokensPerStep = mean * float64(o.BatchSequences)
	if parts.heldOut.Len() == 0 {
		return s, nil, p, nil
	}
	h, err := newHeldOutSet(newSource(parts.heldOut, d.Vocabulary, o), o, parts.unigram)
	if err != nil {
		return nil, nil, nil, err
	}
	p.HeldOutSequences, p.UnigramLoss, p.MajoritySentence = h.sequences, h.unigramLoss, h.majority
	return s, h, p, nil
}
