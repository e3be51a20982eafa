//go:build cgo && !windows

package ort

/*
#include <signal.h>
#include <string.h>

typedef struct {
	struct sigaction action;
	int known; // the C library keeps a few signals for itself
} handler;

enum { signals = NSIG };

static void save_handlers(handler *all) {
	for (int s = 1; s < signals; s++) all[s].known = !sigaction(s, NULL, &all[s].action);
}

// restore_handlers puts back what differs.
static void restore_handlers(const handler *all) {
	for (int s = 1; s < signals; s++) {
		struct sigaction now;
		if (!all[s].known || sigaction(s, NULL, &now)) continue;
		if (now.sa_sigaction != all[s].action.sa_sigaction || now.sa_flags != all[s].action.sa_flags ||
		    memcmp(&now.sa_mask, &all[s].action.sa_mask, sizeof now.sa_mask)) sigaction(s, &all[s].action, NULL);
	}
}
*/
import "C"

import "sync"

// handlers are the process's signal handlers before the first of the calls of [keepHandlers] that are under way.
var handlers struct {
	sync.Mutex
	calls int
	saved [C.signals]C.handler
}

// keepHandlers calls f, and then puts the signal handlers back as they were before. What f loads may set its own: the
// libraries of CUDA do, without SA_ONSTACK, and a Go program with such a handler dies of the next signal instead of
// being told of it. Handlers that something else sets meanwhile are put back too.
func keepHandlers(f func() error) error {
	handlers.Lock()
	if handlers.calls == 0 { // another call may have changed them already
		C.save_handlers(&handlers.saved[0])
	}
	handlers.calls++
	handlers.Unlock()
	defer func() {
		handlers.Lock()
		defer handlers.Unlock()
		C.restore_handlers(&handlers.saved[0])
		handlers.calls--
	}()
	return f()
}
