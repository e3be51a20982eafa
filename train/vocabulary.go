package train

import "goalbert/tokenizer"

// Vocabulary is what making training instances needs to know of a tokenizer.
type Vocabulary struct {
	Special    tokenizer.SpecialIDs
	StartsWord []bool // (V): whether a piece begins a word; an n-gram is made of whole words
}

// NewVocabulary asks t about each of its pieces.
func NewVocabulary(t tokenizer.Tokenizer) *Vocabulary {
	v := &Vocabulary{Special: t.Special(), StartsWord: make([]bool, t.VocabSize())}
	for id := range v.StartsWord {
		v.StartsWord[id] = t.StartsWord(int32(id))
	}
	return v
}

// Size returns V.
func (v *Vocabulary) Size() int { return len(v.StartsWord) }
