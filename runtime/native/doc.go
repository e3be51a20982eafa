// Package native runs a checkpoint in the native model as one more runtime.Session, with the inputs and outputs of
// the exported file. It is the border between padded batches and the packed rows of goalbert/native: attended
// positions are gathered on the way in and put back in their places on the way out, where the others are zero.
package native
