package corpus

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentences cuts a paragraph into sentences, by the rules of English, and by the stops of Chinese and Japanese. White
// space becomes single spaces, and is dropped after a stop of the latter; nothing else changes.
//
// A sentence ends at white space after . ! ? or … and closing quotes or brackets and marks of footnotes ([1]), if what
// follows may begin one: a capital, a digit, or an opening quote, bracket, ¿, ¡ or dash before one of these. A full stop
// does not end one after an abbreviation (Mr., e.g.) or a number that began the sentence (1. First). Initials (J. R. R.
// Tolkien), initialisms (U.S.) and abbreviations that often come last (etc., Inc.) end one only if a usual first word follows.
//
// A sentence also ends after 。！？｡ and closing quotes or brackets, white space or not, unless a comma or a Japanese
// particle of quotation (と, って) follows.
func Sentences(paragraph string) []string {
	words := strings.Fields(paragraph)
	var sentences []string
	start := 0
	for i := range words {
		last := i == len(words)-1
		if last || endsSentence(words[i]) && beginsSentence(words[i+1]) && !bindsNext(words[start:i+1], words[i+1]) {
			sentences = appendCJK(sentences, strings.Join(words[start:i+1], " "))
			start = i + 1
		}
	}
	return sentences
}

const (
	stopsCJK   = "。！？｡"
	closersCJK = "」』）】》〉〕］｣”’\"'"
)

// appendCJK appends a sentence of English rules, cut at the stops of Chinese and Japanese.
func appendCJK(sentences []string, sentence string) []string {
	for sentence != "" {
		end := endCJK(sentence)
		sentences = append(sentences, strings.TrimSpace(sentence[:end]))
		sentence = strings.TrimSpace(sentence[end:])
	}
	return sentences
}

// endCJK returns where the first sentence of a text ends by those stops.
func endCJK(text string) int {
	for end := 0; ; {
		at := strings.IndexFunc(text[end:], isStopCJK)
		if at < 0 {
			return len(text)
		}
		rest := strings.TrimLeft(text[end+at:], stopsCJK+closersCJK)
		end = len(text) - len(rest)
		if !goesOnCJK(rest) {
			return end
		}
	}
}

func isStopCJK(r rune) bool { return r >= '。' && strings.ContainsRune(stopsCJK, r) }

// goesOnCJK says whether what follows a stop and its closing quotes belongs to the same sentence.
func goesOnCJK(rest string) bool {
	for _, particle := range []string{"と", "って", "、", "，", ","} {
		if strings.HasPrefix(rest, particle) {
			return true
		}
	}
	return false
}

const (
	eitherSide   = "\"'*_`"
	onlyClosers  = ")]}\u2019\u201d\u00bb"
	onlyOpeners  = "([{\u2018\u201c\u00ab"
	closers      = eitherSide + onlyClosers
	openers      = eitherSide + onlyOpeners + "¿¡—–"
	surroundings = eitherSide + onlyClosers + onlyOpeners
)

// endsSentence says whether a word ends with a mark that may end a sentence.
func endsSentence(word string) bool {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(cutFootnotes(word), closers))
	return r == '.' || r == '!' || r == '?' || r == '…'
}

// cutFootnotes drops the marks of footnotes at the end of a word: [1][2].
func cutFootnotes(word string) string {
	for {
		at := strings.LastIndexByte(word, '[')
		if at < 1 || !strings.HasSuffix(word, "]") || at+2 >= len(word) || !isNumber(word[at+1:len(word)-1]) {
			return word
		}
		word = word[:at]
	}
}

// beginsSentence says whether a word may be the first of a sentence.
func beginsSentence(word string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(word, openers))
	return unicode.IsUpper(r) || unicode.IsDigit(r)
}

// bindsNext says whether the full stop at the end of words belongs to an abbreviation, so that next goes on.
func bindsNext(words []string, next string) bool {
	last := cutFootnotes(words[len(words)-1])
	bare := strings.Trim(last, surroundings)
	stem, stopped := strings.CutSuffix(bare, ".")
	if !stopped {
		return quotedSpeech(last, next)
	}
	lower := strings.ToLower(stem)
	switch {
	case stem == "" || strings.HasSuffix(stem, "."):
		return false // an ellipsis
	case len(words) == 1 && isNumber(stem):
		return true
	case stem == "I":
		return false
	case beforeNumber[lower]:
		return startsWithDigit(next)
	case abbreviations[lower]:
		return true
	case lastAbbreviations[lower] || isInitial(stem) || isInitialism(stem):
		return !firstWords[strings.ToLower(strings.Trim(next, surroundings+"¿¡—–,."))]
	}
	return false
}

// quotedSpeech says whether a sentence goes on after a quotation: “Stop!” I said.
func quotedSpeech(last, next string) bool {
	quoted := strings.HasSuffix(last, "\"") || strings.HasSuffix(last, "”") || strings.HasSuffix(last, "’")
	return quoted && next == "I"
}

// abbreviations are followed by what they belong to.
var abbreviations = set(`mr mrs ms dr prof rev hon gen col lt lieut capt sgt cpl maj cmdr adm gov sen rep pres supt st
	messrs mme mlle jr mt e.g eg i.e ie cf viz vs approx resp incl excl esp ca al et ex def ed eds trans illus ft`)

// lastAbbreviations may be the last word of a sentence.
var lastAbbreviations = set(`etc inc ltd co corp bros sr esq ph.d a.m p.m b.c a.d jan feb mar apr jun jul aug sep sept oct
	nov dec mon tue wed thu fri`)

// beforeNumber are abbreviations only before a number; "No." is a sentence, too.
var beforeNumber = set(`no nos p pp vol vols ch sec sect fig figs eq art par`)

// firstWords are usual first words of a sentence that are seldom parts of a name.
var firstWords = set(`a an the this that these those it its he she they we you i there here if when where while in on at
	for from to by as and but or so however not note each all any some no his her their our my what who why how see use`)

func set(words string) map[string]bool {
	s := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		s[word] = true
	}
	return s
}

// isInitialism says whether a word is single letters with stops between them, like U.S or Ph.D.
func isInitialism(stem string) bool {
	parts := strings.Split(stem, ".")
	for _, part := range parts {
		if n := utf8.RuneCountInString(part); n == 0 || n > 2 || !unicode.IsLetter([]rune(part)[0]) {
			return false
		}
	}
	return len(parts) > 1
}

func isNumber(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' }) < 0
}

func isInitial(stem string) bool {
	r, size := utf8.DecodeRuneInString(stem)
	return size == len(stem) && unicode.IsUpper(r)
}

func startsWithDigit(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsDigit(r)
}
