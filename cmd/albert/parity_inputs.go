package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"goalbert/corpus"
	"goalbert/models"
	"goalbert/parity"
	"goalbert/tokenizer"
)

// specimens are sentences of different lengths, from one word on.
var specimens = []string{
	"Yes.",
	"The weather changed overnight.",
	"She opened the window, looked at the harbour, and counted the boats that had come in.",
	"A function that returns an error should return a value as well, unless the error makes every value meaningless.",
	"Between the station and the old mill the road follows the river for about two miles; it is narrow there, often " +
		"wet, and after heavy rain the carts that carry flour to the market have to wait until the water has gone down.",
}

// sequenceCount is how many sentences of a text are compared.
const sequenceCount = 16

// specimenSequences returns sentences as the model's inputs, cut to what it takes. Without a vocabulary in the
// checkpoint they are random ids of many lengths.
func specimenSequences(checkpoint string, config models.Config, text string) ([]parity.Sequence, error) {
	if _, err := os.Stat(filepath.Join(checkpoint, tokenizer.ModelFile)); errors.Is(err, os.ErrNotExist) && text == "" {
		return randomSequences(config), nil
	}
	t, err := openTokenizer(checkpoint)
	if err != nil {
		return nil, err
	}
	chosen := specimens
	if text != "" {
		if chosen, err = spread(text); err != nil {
			return nil, err
		}
	}
	var sequences []parity.Sequence
	for i, sentence := range chosen {
		ids := t.Encode(sentence)
		ids = ids[:min(len(ids), config.MaxPositionEmbeddings-2)]
		var second []int32
		if half := len(ids) / 2; i%2 == 1 && half > 0 && len(ids)+3 <= config.MaxPositionEmbeddings && config.TypeVocabSize > 1 {
			ids, second = ids[:half], ids[half:] // every other one as a pair, with both token types
		}
		input, types := tokenizer.BuildInputs(t.Special(), ids, second)
		sequences = append(sequences, parity.Sequence{InputIDs: input, TokenTypeIDs: types})
	}
	return sequences, nil
}

// spread returns sentences of a text, evenly spread over it.
func spread(path string) ([]string, error) {
	var all []string
	for s, err := range sentences(corpus.Read(path)) {
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("parity: %s holds no sentences; give one with a sentence a line", path)
	}
	n := min(len(all), sequenceCount)
	chosen := make([]string, n)
	for i := range chosen {
		chosen[i] = strings.TrimSpace(all[i*len(all)/n])
	}
	return chosen, nil
}

// randomSequences are random ids of several lengths.
func randomSequences(config models.Config) []parity.Sequence {
	random := rand.New(rand.NewPCG(1, 2))
	var sequences []parity.Sequence
	for n := 1; n <= min(31, config.MaxPositionEmbeddings); n = n*2 + 1 {
		var s parity.Sequence
		for range n {
			s.InputIDs = append(s.InputIDs, random.Int32N(int32(config.VocabSize)))
			s.TokenTypeIDs = append(s.TokenTypeIDs, random.Int32N(int32(config.TypeVocabSize)))
		}
		sequences = append(sequences, s)
	}
	return sequences
}
