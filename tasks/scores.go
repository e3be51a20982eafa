package tasks

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MarshalJSON writes the scores as an object of numbers by name, in their order: the task's own metric is the first.
func (s Scores) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, score := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(score.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(score.Value)
		if err != nil {
			return nil, fmt.Errorf("tasks: score %s: %w", score.Name, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Scores) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("tasks: scores are %s, want an object of numbers", text)
	}
	scores := Scores{}
	for d.More() {
		name, err := d.Token() // a key, which the decoder has checked
		if err != nil {
			return err
		}
		score := Score{Name: name.(string)}
		if err := d.Decode(&score.Value); err != nil {
			return fmt.Errorf("tasks: score %s: %w", score.Name, err)
		}
		scores = append(scores, score)
	}
	*s = scores
	return nil
}
