package ort

// member is one file of an archive that is installed.
type member struct {
	path   string // in the archive
	name   string // in the cache
	sha256 string
}

// artifact is one source of one platform's library.
type artifact struct {
	source  source
	members []member // the library itself last
}

// Paths in the sources' archives.
const (
	capi       = "onnxruntime/capi/"
	wheelFile  = capi + "libonnxruntime.so." + PinnedVersion
	npmBinary  = "package/bin/napi-v6/linux/"
	npmPackage = "onnxruntime-node@" + PinnedVersion
)

// artifacts are the sources of version [PinnedVersion] for the CPU, by GOOS/GOARCH, in the order in which they are tried.
// Each source builds its own: their sums differ. This is the one table of pinned checksums.
var artifacts = map[string][]artifact{
	"linux/amd64": {
		{
			release("onnxruntime-linux-x64-" + PinnedVersion),
			[]member{{"onnxruntime-linux-x64-" + PinnedVersion + "/lib/libonnxruntime.so." + PinnedVersion, cachedName,
				"245a6f8c38127551057a1cd1ffd59f0a186a227ade4f3492dea2494eb565542e"}},
		}, {
			npm(npmPackage),
			[]member{{npmBinary + "x64/libonnxruntime.so.1", cachedName,
				"ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23"}},
		}, {
			wheel{"onnxruntime==" + PinnedVersion, "manylinux_2_28_x86_64"},
			[]member{{wheelFile, cachedName, "c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed"}},
		},
	},
	"linux/arm64": {
		{
			release("onnxruntime-linux-aarch64-" + PinnedVersion),
			[]member{{"onnxruntime-linux-aarch64-" + PinnedVersion + "/lib/libonnxruntime.so." + PinnedVersion, cachedName,
				"64e903a43a041240fd6bcffe0ac6d4fea47ef87bf24b9d097801bd00a9612a4b"}},
		}, {
			npm(npmPackage),
			[]member{{npmBinary + "arm64/libonnxruntime.so.1", cachedName,
				"1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76"}},
		}, {
			wheel{"onnxruntime==" + PinnedVersion, "manylinux_2_28_aarch64"},
			[]member{{wheelFile, cachedName, "8a218e1e446880131115c368ec7005969a5022af9a15a26173de648fef0b7789"}},
		},
	},
}

// gpuArtifacts are the sources with the providers for CUDA 13 and TensorRT. The wheels of one version differ: the sums
// are those of the wheel for CPython 3.12.
var gpuArtifacts = map[string][]artifact{
	"linux/amd64": {{
		wheel{"onnxruntime-gpu==" + PinnedVersion, "manylinux_2_28_x86_64"},
		[]member{
			{capi + bridgeFile, bridgeFile, "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d"},
			{capi + "libonnxruntime_providers_cuda.so", "libonnxruntime_providers_cuda.so",
				"35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc"},
			{capi + "libonnxruntime_providers_tensorrt.so", "libonnxruntime_providers_tensorrt.so",
				"4365c6412845f42d7de138055ad3dcff5d0fbca2d748e30e8a04aa3ab0643337"},
			{wheelFile, cachedName, "5a140dc17c8b60b35b2ceab0bb533e65ac54f06a208948417c1f9c31df6afc4c"},
		},
	}},
}
