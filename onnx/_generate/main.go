// Command generate writes graph.pb.go from graph.proto. It needs Go alone, no protoc: protocompile reads the file, and
// protoc-gen-go of the version that the project uses writes the code.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

const (
	source  = "onnx/graph.proto" // as it is registered
	plugin  = "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12"
	options = "module=goalbert"
)

func main() {
	log.SetFlags(0)
	code, err := generate()
	if err != nil {
		log.Fatalf("generate %s: %v", source, err)
	}
	if err := os.WriteFile("../graph.pb.go", []byte(code), 0o644); err != nil {
		log.Fatal(err)
	}
}

func generate() (string, error) {
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{"../.."}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), source)
	if err != nil {
		return "", err
	}
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{source},
		Parameter:      proto.String(options),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protoutil.ProtoFromFileDescriptor(files[0])},
	})
	if err != nil {
		return "", err
	}
	command := exec.Command("go", "run", plugin)
	command.Stdin, command.Stderr = bytes.NewReader(request), os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", plugin, err)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &response); err != nil {
		return "", err
	}
	if message := response.GetError(); message != "" || len(response.File) != 1 {
		return "", fmt.Errorf("%s: %s, %d files", plugin, message, len(response.File))
	}
	return response.File[0].GetContent(), nil
}
