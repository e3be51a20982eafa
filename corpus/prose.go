package corpus

import "strings"

// addProse adds a line of prose: to a paragraph, which ends at a blank line. Of markdown it knows what is no sentence:
// headings and list items are paragraphs of their own without their marks, the marks of quotations are dropped, and so
// are rules and fenced blocks of code. Marks inside a line stay.
func (a *assembler) addProse(line string) {
	if a.fence.length > 0 {
		a.addFenced(line)
		return
	}
	if f, ok := openFence(line); ok && !strings.ContainsRune(a.unfenced, rune(f.mark)) {
		a.endParagraph()
		a.fence, a.fenced, a.fencedSize = f, append(a.fenced, line), len(line)
		return
	}
	for strings.HasPrefix(line, "> ") || line == ">" {
		line = strings.TrimSpace(line[1:])
	}
	if line == "" || isRule(line) {
		a.endParagraph()
		return
	}
	if heading, ok := cutHeading(line); ok {
		a.endParagraph()
		if a.options.Documents == ByHeading && a.body {
			a.endDocument(false)
		}
		if heading != "" {
			a.parts = append(a.parts, heading)
			a.size += len(heading)
		}
		return
	}
	if len(line) > 2 && strings.ContainsRune("-*+", rune(line[0])) && line[1] == ' ' {
		a.endParagraph()
		line = strings.TrimSpace(line[2:])
	}
	a.paragraph = append(a.paragraph, line)
	a.size += len(line)
	a.body = true
}

// fence is the line that opens a block of code (CommonMark 0.31, 4.5): three or more of a mark.
type fence struct {
	mark   byte // ` or ~
	length int
}

// openFence returns the fence that a line opens. What follows the marks names the language, and is no ` after `.
func openFence(line string) (fence, bool) {
	if line == "" || line[0] != '`' && line[0] != '~' {
		return fence{}, false
	}
	f := fence{line[0], markLength(line)}
	return f, f.length >= 3 && (f.mark == '~' || !strings.Contains(line[f.length:], "`"))
}

// closes says whether a line ends the block: as many of the same mark or more, and nothing else.
func (f fence) closes(line string) bool {
	return len(line) >= f.length && line[0] == f.mark && markLength(line) == len(line)
}

// markLength returns how often the first byte of a line stands at its beginning.
func markLength(line string) int { return len(line) - len(strings.TrimLeft(line, line[:1])) }

// lineOverhead is the memory of a line besides its bytes.
const lineOverhead = 16

// addFenced holds back a line of a block of code, which is left out when its end is found. One that does not end within
// maxDocument is none.
func (a *assembler) addFenced(line string) {
	if a.fence.closes(line) {
		a.codeLines += len(a.fenced) + 1
		a.fence, a.fenced = fence{}, nil
		return
	}
	a.fenced = append(a.fenced, line)
	if a.fencedSize += len(line) + lineOverhead; a.fencedSize >= maxDocument {
		a.unfence()
	}
}

// unfence reads the lines of a block of code that does not end as text. Its mark opens no other block in the file, so
// that lines are read three times at most.
func (a *assembler) unfence() {
	for a.fence.length > 0 {
		lines := a.fenced
		a.unfenced += string(a.fence.mark)
		a.fence, a.fenced = fence{}, nil
		for _, line := range lines {
			a.addLine(line)
		}
	}
}

// endParagraph adds the paragraph that was read to the document.
func (a *assembler) endParagraph() {
	if len(a.paragraph) == 0 {
		return
	}
	a.parts = append(a.parts, strings.Join(a.paragraph, " "))
	a.paragraph = nil
	if a.options.Documents == ByParagraph {
		a.endDocument(false)
	}
}

// cutHeading returns the text of a markdown heading.
func cutHeading(line string) (string, bool) {
	rest := strings.TrimLeft(line, "#")
	if level := len(line) - len(rest); level == 0 || level > 6 || rest != "" && rest[0] != ' ' {
		return "", false
	}
	if closed := strings.TrimRight(rest, "#"); strings.HasSuffix(closed, " ") {
		rest = closed
	}
	return strings.TrimSpace(rest), true
}

// isRule says whether a line is a rule, the underline of a heading, or a mark of a fence that is none: three or more of
// one mark.
func isRule(line string) bool {
	marks := strings.ReplaceAll(line, " ", "")
	return len(marks) >= 3 && strings.ContainsRune("-*_=~`", rune(marks[0])) && strings.Trim(marks, marks[:1]) == ""
}
