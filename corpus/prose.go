package corpus

import "strings"

// addProse adds a line of prose: to a paragraph, which ends at a blank line. Of markdown it knows what is no sentence:
// headings and list items are paragraphs of their own without their marks, the marks of quotations are dropped, and so
// are rules and fenced blocks of code. Marks inside a line stay.
func (a *assembler) addProse(line string) {
	if strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~") {
		a.endParagraph()
		a.fenced = !a.fenced
		return
	}
	if a.fenced {
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

// isRule says whether a line is a rule or the underline of a heading: three or more of one mark.
func isRule(line string) bool {
	marks := strings.ReplaceAll(line, " ", "")
	return len(marks) >= 3 && strings.ContainsRune("-*_=", rune(marks[0])) && strings.Trim(marks, marks[:1]) == ""
}
