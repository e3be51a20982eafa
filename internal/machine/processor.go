package machine

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// ProcessorName returns what the system calls the processor, or else its architecture.
func ProcessorName() string {
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := modelName(string(text)); name != "" {
			return name
		}
	}
	if name, err := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
		return strings.TrimSpace(string(name))
	}
	return runtime.GOARCH
}

// modelName finds the name in Linux's /proc/cpuinfo. Virtual machines shorten it, so family and model, which tell the
// generation, are added.
func modelName(cpuinfo string) string {
	value := map[string]string{}
	for line := range strings.Lines(cpuinfo) {
		key, v, _ := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); value[key] == "" {
			value[key] = strings.TrimSpace(v)
		}
	}
	name := value["model name"]
	if name != "" && value["cpu family"] != "" {
		name += " (family " + value["cpu family"] + ", model " + value["model"] + ")"
	}
	return name
}
