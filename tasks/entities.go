package tasks

import "strings"

// Entity is a run of words of one type.
type Entity struct {
	Type      string `json:"type"`
	StartWord int    `json:"start_word"` // the first
	EndWord   int    `json:"end_word"`   // the one after the last
	Text      string `json:"text"`
	// Start and End are how many characters of a text that words were cut from stand before the entity and before what
	// follows it.
	Start *int `json:"start,omitempty"`
	End   *int `json:"end,omitempty"`
}

// outside is the tag of a word that is of no entity.
const outside = "O"

// cutTag returns the place in an entity and its type that a tag says, in the letters of BIOES: the M of BMES is I; the
// L and U of BILOU, and W, are E, S and S. The place of a word outside is O.
func cutTag(tag string) (place byte, entity string, ok bool) {
	if tag == outside {
		return 'O', "", true
	}
	prefix, entity, found := strings.Cut(tag, "-")
	if !found || entity == "" || len(prefix) != 1 {
		return 0, "", false
	}
	switch prefix[0] {
	case 'B', 'I', 'E', 'S':
		return prefix[0], entity, true
	case 'M':
		return 'I', entity, true
	case 'L':
		return 'E', entity, true
	case 'U', 'W':
		return 'S', entity, true
	}
	return 0, "", false
}

// entities returns the entities of the tags of a sentence by the rules of conlleval, which seqeval has by default for B,
// I, E and S (it knows no L, U and W): they read every scheme, and forgive tags that none allows. An entity begins at B
// or S, at a change of type, and at I or E after E, S or O; it ends after E or S, and before B, S, O or a change of type.
func entities(tags []string) []Entity {
	found := []Entity{}
	lastPlace, lastType, begin := byte('O'), "", -1
	for i := 0; i <= len(tags); i++ {
		place, entity := byte('O'), ""
		if i < len(tags) {
			place, entity, _ = cutTag(tags[i])
		}
		between := lastPlace == 'E' || lastPlace == 'S' || place == 'B' || place == 'S' || entity != lastType
		starts, ends := place != 'O' && between, lastPlace != 'O' && between
		if ends && begin >= 0 {
			found = append(found, Entity{Type: lastType, StartWord: begin, EndWord: i})
			begin = -1
		}
		if starts {
			begin = i
		}
		lastPlace, lastType = place, entity
	}
	return found
}

// entityCounts counts entities of sentences, and words.
type entityCounts struct {
	right, predicted, there int
	rightWords, words       int
}

// add counts one sentence. An entity is right if its first and last word and its type are.
func (m *entityCounts) add(want, got []string) {
	there := map[Entity]bool{}
	for _, e := range entities(want) {
		there[e] = true
		m.there++
	}
	for _, e := range entities(got) {
		m.predicted++
		if there[e] {
			m.right++
		}
	}
	for i := range want {
		m.words++
		if want[i] == got[i] {
			m.rightWords++
		}
	}
}

func (m *entityCounts) Precision() float64 { return ratio(m.right, m.predicted) }
func (m *entityCounts) Recall() float64    { return ratio(m.right, m.there) }
func (m *entityCounts) F1() float64        { return ratio(2*m.right, m.predicted+m.there) }
func (m *entityCounts) Accuracy() float64  { return ratio(m.rightWords, m.words) }
