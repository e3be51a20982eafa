package evaluate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"goalbert/models"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

// Halves divides examples into two halves of which nothing is in both: examples of one group, or of the same texts, go to one
// of them together. Which one is decided by hashes of their texts and the seed, so that neither the order of a file nor what
// else is in it brings two of them together or apart. Each half is in the order of the examples.
func Halves(examples []*tasks.Example, seed uint64) (first, second []*tasks.Example, err error) {
	together := unite(examples)
	type unit struct {
		number int
		hash   string
	}
	size := map[int]int{}
	var units []unit
	for i, e := range examples {
		number := together[i]
		if size[number]++; size[number] == 1 {
			units = append(units, unit{number, textHash(e, seed)})
		}
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Or(cmp.Compare(a.hash, b.hash), a.number-b.number) })
	inFirst, taken := map[int]bool{}, 0
	for _, u := range units {
		if 2*taken+size[u.number] > len(examples) {
			continue // a smaller one may fit
		}
		inFirst[u.number], taken = true, taken+size[u.number]
	}
	if taken == 0 || taken == len(examples) {
		return nil, nil, fmt.Errorf("evaluate: %d examples, of which those of one group or text stay together, make no two halves; give more",
			len(examples))
	}
	for i, e := range examples {
		if inFirst[together[i]] {
			first = append(first, e)
		} else {
			second = append(second, e)
		}
	}
	return first, second, nil
}

// unite returns a number for each example, the same for those of one group or of the same texts, and for all that are linked
// by others.
func unite(examples []*tasks.Example) []int {
	parent := make([]int, len(examples))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[string]int{} // of each group and text
	for i, e := range examples {
		keys := []string{"text " + textOf(e)}
		if e.Group != "" {
			keys = append(keys, "group "+e.Group)
		}
		for _, key := range keys {
			if j, ok := first[key]; ok {
				parent[root(i)] = root(j)
			} else {
				first[key] = i
			}
		}
	}
	numbers := make([]int, len(examples))
	for i := range numbers {
		numbers[i] = root(i)
	}
	return numbers
}

// textOf is all that a model sees of an example.
func textOf(e *tasks.Example) string {
	return strings.Join(append(slices.Clone(e.Texts), e.Words...), "\x00")
}

func textHash(e *tasks.Example, seed uint64) string {
	sum := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, seed), e.Group+"\x00"+textOf(e)...))
	return string(sum[:])
}

// RandomSequences returns features for a model of configuration c of random pieces of a vocabulary, special ones excepted:
// what a model can be run on where there is no text. Each has 1 to 32 pieces; of multiple choice it is four choices.
func RandomSequences(c models.Config, t tokenizer.Tokenizer, count int, seed uint64) *tasks.Set {
	random := rand.New(rand.NewPCG(seed, 1))
	special := t.Special()
	reserved := []int32{special.Pad, special.Unknown, special.CLS, special.SEP, special.MASK}
	var pieces []int32
	for id := range int32(min(t.VocabSize(), c.VocabSize)) {
		if !slices.Contains(reserved, id) {
			pieces = append(pieces, id)
		}
	}
	choices, longest := 1, max(1, min(32, c.MaxPositionEmbeddings-2))
	if c.Architecture == models.ForMultipleChoice {
		choices = 4
	}
	s := &tasks.Set{}
	for i := range count {
		f, e := &tasks.Feature{Example: i}, &tasks.Example{Place: fmt.Sprintf("random sequence %d", i+1)}
		for range choices {
			ids := make([]int32, 1+random.IntN(longest))
			for k := range ids {
				ids[k] = pieces[random.IntN(len(pieces))]
			}
			inputs, types := tokenizer.BuildInputs(special, ids, nil)
			f.Sequences = append(f.Sequences, tasks.Sequence{InputIDs: inputs, TokenTypeIDs: types})
			e.Texts = append(e.Texts, t.Decode(ids))
		}
		s.Examples, s.Features = append(s.Examples, e), append(s.Features, f)
	}
	return s
}
