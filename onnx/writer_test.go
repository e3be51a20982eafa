package onnx

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// The streamed file is the deterministic encoding that protobuf makes of the whole message.
func TestWrittenBytesAreProtobufs(t *testing.T) {
	rich := linearModel()
	rich.ProducerName, rich.DocString, rich.ModelVersion = "p", "d", 3
	rich.MetadataProps = []*StringStringEntryProto{{Key: "k", Value: "v"}}
	rich.Graph.DocString, rich.Graph.ValueInfo = "g", rich.Graph.Input
	rich.Graph.Initializer = append(rich.Graph.Initializer,
		&TensorProto{Name: "typed", Dims: []int64{2}, DataType: int32(TensorProto_FLOAT), FloatData: []float32{1, 2}},
		&TensorProto{Name: "double", DataType: int32(TensorProto_DOUBLE), DoubleData: []float64{1}, DocString: "after"},
		NewFloats("empty", []int{0}, nil))
	for _, m := range []proto.Message{rich, rich.Graph, rich.Graph.Initializer[0]} {
		m.ProtoReflect().SetUnknown([]byte{0xc0, 0x3e, 0x05}) // field 1000
	}
	graphless := linearModel()
	graphless.Graph = nil
	for name, m := range map[string]*ModelProto{
		"linear": linearModel(), "loop": loopModel(), "rich": rich, "no graph": graphless, "nothing": {},
	} {
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := marshal(t, m); !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes %x, want %d bytes %x", name, len(got), got, len(want), want)
		}
	}
}

// A deferred tensor is written as one in memory, and has to keep its word.
func TestDeferredTensors(t *testing.T) {
	values := make([]float32, 9000)
	for i := range values {
		values[i] = float32(i) / 7
	}
	model := func(add func(b *Builder) string) (*ModelProto, Payloads) {
		b := NewBuilder("halves")
		x := b.Input("x", TensorProto_FLOAT16, 3, 3000)
		b.Node("Add", "y", []string{x, add(b)})
		b.Output("y", TensorProto_FLOAT16, 3, 3000)
		return b.Model(18), b.Payloads()
	}
	eager, _ := model(func(b *Builder) string {
		w, err := NewHalves("w", []int{3, 3000}, values)
		if err != nil {
			t.Fatal(err)
		}
		return b.Initializer(w)
	})
	deferred, payloads := model(func(b *Builder) string {
		w, write, err := DeferHalves("w", []int{3, 3000}, values)
		if err != nil {
			t.Fatal(err)
		}
		return b.Defer(w, write)
	})
	if err := Check(deferred); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteWith(&out, deferred, payloads); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), marshal(t, eager)) {
		t.Error("a deferred tensor gave other bytes than one in memory")
	}
	if err := Write(io.Discard, deferred); err == nil || !strings.Contains(err.Error(), "tensor w lies in another file") {
		t.Errorf("without its payload: got error %v", err)
	}
	short := Payloads{"w": func(w io.Writer) error {
		_, err := w.Write(make([]byte, 17999))
		return err
	}}
	if err := WriteWith(io.Discard, deferred, short); err == nil || !strings.Contains(err.Error(), "with 17999 bytes, want 18000") {
		t.Errorf("a short payload: got error %v", err)
	}
	if err := payloads.Fill(deferred); err != nil || !proto.Equal(deferred, eager) {
		t.Errorf("filled it is not what is in memory; error %v", err)
	}
}

// What protobuf cannot hold is refused before anything of it is made.
func TestTooLargeForOneFile(t *testing.T) {
	b := NewBuilder("large")
	for _, name := range []string{"v", "w"} {
		b.Defer(Deferred(name, TensorProto_FLOAT, []int{1 << 28}), func(io.Writer) error {
			t.Error("the data were asked for")
			return nil
		})
	}
	err := WriteWith(io.Discard, b.Model(18), b.Payloads())
	if _, unsupported := errors.AsType[UnsupportedError](err); !unsupported || !strings.Contains(err.Error(), "put the data of its tensors into a second") {
		t.Errorf("got error %v", err)
	}
	if err := WriteExternal(io.Discard, b.Model(18), b.Payloads(), "data"); err != nil {
		t.Errorf("with external data: %v", err)
	}
}
