// Package numeric compares numbers: against an oracle within a tolerance, and gradients against finite differences.
// tolerance.go is the one file of tolerances, each with its derivation.
package numeric
