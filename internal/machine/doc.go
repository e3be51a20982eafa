// Package machine says what the machine is that something was measured on, and how much memory it took there.
package machine
