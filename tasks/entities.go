package tasks

// Entity is a run of words of one type.
type Entity struct {
	Type  string `json:"type"`
	Start int    `json:"start"` // the first word
	End   int    `json:"end"`   // the word after the last
	Text  string `json:"text"`
}
