package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// jsonProblem says in the words of JSON what is wrong with a text.
func jsonProblem(err error) string {
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &other):
		what := "it"
		if other.Field != "" {
			what = other.Field
		}
		return fmt.Sprintf("%s is %s, want %s", what, jsonName(other.Value), wantedOf(other.Type))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	}
	return err.Error()
}

// jsonName returns what a value of JSON is, which encoding/json names, in words.
func jsonName(value string) string {
	switch value {
	case "array":
		return "a list"
	case "bool":
		return "true or false"
	case "number":
		return "a number"
	case "object":
		return "an object"
	case "string":
		return "text"
	}
	return strings.TrimPrefix(value, "number ")
}

// wantedOf returns the value of JSON that a type is read from.
func wantedOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "text"
	}
	return "an object"
}
