package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"goalbert/corpus"
)

// Documents is tokenized text in memory.
type Documents interface {
	// Len returns the number of documents.
	Len() int
	// Sentences returns the number of sentences of a document.
	Sentences(document int) int
	// Sentence returns the tokens of a sentence, not to be changed.
	Sentence(document, sentence int) []int32
}

// Fingerprint returns the SHA-256 of all tokens of a corpus and of where its sentences and documents end. How it is
// divided into blocks does not matter.
func Fingerprint(b corpus.Blocks) (string, error) { return survey(b, math.MaxInt32) }

// survey reads a corpus once, returns its fingerprint, and reports what no model with such a vocabulary can read.
func survey(b corpus.Blocks, vocabSize int) (string, error) {
	h := sha256.New()
	var buffer []byte
	first := 0
	for block := range b.Len() {
		d, err := b.Block(block)
		if err != nil {
			return "", err
		}
		for i := range d.Len() {
			if d.Sentences(i) == 0 {
				return "", fmt.Errorf("train: document %d has no sentences", first+i)
			}
			buffer = binary.LittleEndian.AppendUint32(buffer[:0], uint32(d.Sentences(i)))
			for j := range d.Sentences(i) {
				sentence := d.Sentence(i, j)
				if len(sentence) == 0 {
					return "", fmt.Errorf("train: document %d: sentence %d has no tokens", first+i, j)
				}
				buffer = binary.LittleEndian.AppendUint32(buffer, uint32(len(sentence)))
				for _, id := range sentence {
					if id < 0 || int(id) >= vocabSize {
						return "", fmt.Errorf("train: document %d: sentence %d has token %d, the vocabulary has %d; "+
							"tokenize the text with this vocabulary", first+i, j, id, vocabSize)
					}
					buffer = binary.LittleEndian.AppendUint32(buffer, uint32(id))
				}
			}
			h.Write(buffer)
		}
		first += d.Len()
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// part is the documents of a corpus that are trained on, or those that are held out.
type part struct {
	blocks    corpus.Blocks
	documents [][]int32   // of each block those that belong to the part, ascending
	sentences [][][]int32 // of each of them those that belong to it; nil for all
	starts    []int       // of each block the number of its first document among those of the part, and their number
}

// Len returns the number of documents.
func (p *part) Len() int { return p.starts[len(p.starts)-1] }

// number completes a part whose documents are known.
func (p *part) number() {
	p.starts = make([]int, 1, len(p.documents)+1)
	for block, documents := range p.documents {
		p.starts = append(p.starts, p.starts[block]+len(documents))
	}
}

// read brings the documents of some blocks into memory.
func (p *part) read(blocks []int) (*excerpt, error) {
	e := &excerpt{}
	for _, block := range blocks {
		if len(p.documents[block]) == 0 {
			continue
		}
		d, err := p.blocks.Block(block)
		if err != nil {
			return nil, err
		}
		for i, document := range p.documents[block] {
			e.documents = append(e.documents, place{of: d, document: document, number: p.starts[block] + i})
		}
		if p.sentences != nil {
			e.sentences = append(e.sentences, p.sentences[block]...)
		}
	}
	return e, nil
}

// eachSentence reads the part once, in order.
func (p *part) eachSentence(use func(sentence []int32)) error {
	for block := range p.documents {
		e, err := p.read([]int{block})
		if err != nil {
			return err
		}
		for i := range e.Len() {
			for j := range e.Sentences(i) {
				use(e.Sentence(i, j))
			}
		}
	}
	return nil
}

// excerpt is documents of some blocks, in memory.
type excerpt struct {
	documents []place
	sentences [][]int32 // of each document those that belong to it; nil for all
}

// place is where a document is: in the block of, and among the documents of its part.
type place struct {
	of       *corpus.Tokens
	document int32
	number   int
}

func (e *excerpt) Len() int { return len(e.documents) }

func (e *excerpt) Sentences(document int) int {
	if e.sentences == nil {
		p := e.documents[document]
		return p.of.Sentences(int(p.document))
	}
	return len(e.sentences[document])
}

func (e *excerpt) Sentence(document, sentence int) []int32 {
	if e.sentences != nil {
		sentence = int(e.sentences[document][sentence])
	}
	p := e.documents[document]
	return p.of.Sentence(int(p.document), sentence)
}
