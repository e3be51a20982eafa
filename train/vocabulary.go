package train

// Vocabulary is what making training instances needs to know of a tokenizer.
type Vocabulary struct {
	CLS, SEP, Mask int32
	StartsWord     []bool // (V): whether a piece begins a word; an n-gram is made of whole words
}

// Size returns V.
func (v *Vocabulary) Size() int { return len(v.StartsWord) }
