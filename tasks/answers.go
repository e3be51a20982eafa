package tasks

// Candidate is a possible answer to a question.
type Candidate struct {
	Text        string  `json:"text"`
	Start       int     `json:"start"` // bytes of the passage before it
	Logit       float64 `json:"logit"` // of its start and its end together
	Probability float64 `json:"probability"`
}

// passage is where the tokens of a window come from.
type passage struct {
	begin int      // the first token of the window that is of the passage
	spans [][2]int // the bytes of the passage that its tokens stand for
	best  []bool   // whether no other window shows more around the token
}
