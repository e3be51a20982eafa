package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Documents is a tokenized corpus in memory or in files. It must always give the same answers, and serve several
// goroutines.
type Documents interface {
	// Len returns the number of documents.
	Len() int
	// Sentences returns the number of sentences of a document.
	Sentences(document int) int
	// Sentence returns the tokens of a sentence, not to be changed.
	Sentence(document, sentence int) []int32
}

// Fingerprint returns the SHA-256 of all tokens of d and of where its sentences and documents end.
func Fingerprint(d Documents) string {
	h := sha256.New()
	var buffer []byte
	for i := range d.Len() {
		buffer = binary.LittleEndian.AppendUint32(buffer[:0], uint32(d.Sentences(i)))
		for j := range d.Sentences(i) {
			sentence := d.Sentence(i, j)
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(len(sentence)))
			for _, id := range sentence {
				buffer = binary.LittleEndian.AppendUint32(buffer, uint32(id))
			}
		}
		h.Write(buffer)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// excerpt is some documents of a corpus, and of each some sentences.
type excerpt struct {
	of        Documents
	documents []int32
	sentences [][]int32 // of each document; nil for all of them
}

func (e *excerpt) Len() int { return len(e.documents) }

func (e *excerpt) Sentences(document int) int {
	if e.sentences == nil {
		return e.of.Sentences(int(e.documents[document]))
	}
	return len(e.sentences[document])
}

func (e *excerpt) Sentence(document, sentence int) []int32 {
	if e.sentences != nil {
		sentence = int(e.sentences[document][sentence])
	}
	return e.of.Sentence(int(e.documents[document]), sentence)
}
