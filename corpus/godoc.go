package corpus

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
)

// Godoc yields the English prose of the doc comments of a Go toolchain, that is of the files below goroot/src, commands
// included. A document is the doc comments of one file, in order. Left out are code blocks, directives, licences,
// generated files, tests, testdata, paragraphs that are no prose, and paragraphs that came before. The same toolchain
// gives the same text.
func Godoc(ctx context.Context, goroot string) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		paths, err := goFiles(filepath.Join(goroot, "src"))
		if err != nil {
			yield(nil, err)
			return
		}
		seen := make(map[string]bool)
		stopped := false
		collect := func(f docComments) bool {
			if f.err != nil {
				yield(nil, f.err)
				stopped = true
			} else if d := f.document(seen); len(d) > 0 {
				stopped = !yield(d, nil)
			}
			return !stopped
		}
		err = inOrder(ctx, withoutErrors(paths), runtime.GOMAXPROCS(0), readDocComments, collect)
		if err != nil && !stopped {
			yield(nil, fmt.Errorf("corpus: godoc: %w", err))
		}
	}
}

func withoutErrors(paths []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, path := range paths {
			if !yield(path, nil) {
				return
			}
		}
	}
}

// goFiles returns the Go files below dir that are not tests, in lexical order.
func goFiles(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := ""
		if err == nil {
			name = d.Name()
		}
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case d.Type().IsRegular() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			paths = append(paths, path)
		}
		return nil
	})
	if err == nil && len(paths) == 0 {
		err = errors.New("got no Go files")
	}
	if err != nil {
		return nil, fmt.Errorf("corpus: godoc: look for the Go toolchain's source in %s: %w; "+
			"give the directory that \"go env GOROOT\" prints", dir, err)
	}
	return paths, nil
}

// docComments are the paragraphs of a file's doc comments, each its sentences.
type docComments struct {
	paragraphs [][]string
	err        error
}

// readDocComments parses a file. One that is not Go (some stand ready for other versions) has no comments.
func readDocComments(path string) docComments {
	source, err := os.ReadFile(path)
	if err != nil {
		return docComments{err: fmt.Errorf("corpus: godoc: %w", err)}
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || ast.IsGenerated(file) {
		return docComments{}
	}
	var found docComments
	ast.Inspect(file, func(n ast.Node) bool {
		if doc := docOf(n); doc != nil {
			found.paragraphs = append(found.paragraphs, prose(doc.Text())...)
		}
		return n != nil && !isBlock(n)
	})
	return found
}

func isBlock(n ast.Node) bool {
	_, ok := n.(*ast.BlockStmt)
	return ok
}

// docOf returns the doc comment of a declaration, a part of one, or the package.
func docOf(n ast.Node) *ast.CommentGroup {
	switch n := n.(type) {
	case *ast.File:
		return n.Doc
	case *ast.GenDecl:
		return n.Doc
	case *ast.FuncDecl:
		return n.Doc
	case *ast.TypeSpec:
		return n.Doc
	case *ast.ValueSpec:
		return n.Doc
	case *ast.Field:
		return n.Doc
	}
	return nil
}

// prose returns the paragraphs of a doc comment that are English prose, cut into sentences.
func prose(text string) [][]string {
	p := comment.Parser{LookupSym: func(receiver, name string) bool { return true }} // links lose their brackets
	var paragraphs [][]string
	add := func(blocks []comment.Block) {
		for _, block := range blocks {
			if block, ok := block.(*comment.Paragraph); ok {
				if text := plainText(block.Text); isProse(text) {
					paragraphs = append(paragraphs, Sentences(text))
				}
			}
		}
	}
	for _, block := range p.Parse(text).Content {
		if list, ok := block.(*comment.List); ok {
			for _, item := range list.Items {
				add(item.Content)
			}
			continue
		}
		add([]comment.Block{block})
	}
	return paragraphs
}

func plainText(text []comment.Text) string {
	var b strings.Builder
	for _, t := range text {
		switch t := t.(type) {
		case comment.Plain:
			b.WriteString(string(t))
		case comment.Italic:
			b.WriteString(string(t))
		case *comment.Link:
			b.WriteString(plainText(t.Text))
		case *comment.DocLink:
			b.WriteString(plainText(t.Text))
		}
	}
	return b.String()
}

// isProse says whether a paragraph is English rather than a table, a signature, a licence or a note to a programmer.
func isProse(text string) bool {
	for _, mark := range []string{"Copyright", "All rights reserved", "governed by a BSD", "LICENSE", "://", "#cgo", "#include"} {
		if strings.Contains(text, mark) {
			return false
		}
	}
	for _, mark := range []string{"TODO", "BUG", "FIXME", "XXX", "+build", "go:"} {
		if strings.HasPrefix(text, mark) {
			return false
		}
	}
	letters, others, words := 0, 0, 0
	for word := range strings.FieldsSeq(text) {
		plain := true
		for _, r := range strings.Trim(word, surroundings+".,:;!?-") {
			if unicode.IsLetter(r) {
				letters++
			} else {
				others++
				plain = plain && (r == '\'' || r == '-' || r == '’')
			}
		}
		if plain {
			words++
		}
	}
	return words >= 3 && others*8 <= letters
}

// document returns the paragraphs that were not seen before, and remembers them.
func (f docComments) document(seen map[string]bool) Document {
	var d Document
	for _, paragraph := range f.paragraphs {
		key := strings.Join(paragraph, " ")
		if !seen[key] {
			seen[key] = true
			d = append(d, paragraph...)
		}
	}
	return d
}
