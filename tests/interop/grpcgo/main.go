// grpcgo is a gRPC server on grpc-go, over TLS, with the methods of tests/system/grpc_peer.py.
// Prints the port on which it listens. Ends when its standard input does.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const refusal = "nein: Ärger, 100% \U0001f6d1"

// plain takes messages as they are.
type plain struct{}

func (plain) Name() string                  { return "proto" }
func (plain) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (plain) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func unary(name string, f func(context.Context, []byte) ([]byte, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var request []byte
			if err := decode(&request); err != nil {
				return nil, err
			}
			answer, err := f(ctx, request)
			return &answer, err
		},
	}
}

func upload(name string, f func(grpc.ServerStream) ([]byte, error)) grpc.StreamDesc {
	return grpc.StreamDesc{
		StreamName:    name,
		ClientStreams: true,
		Handler: func(_ any, stream grpc.ServerStream) error {
			answer, err := f(stream)
			if err != nil {
				return err
			}
			return stream.SendMsg(&answer)
		},
	}
}

func echo(_ context.Context, request []byte) ([]byte, error) { return request, nil }

func refuse(context.Context, []byte) ([]byte, error) {
	return nil, status.Error(codes.PermissionDenied, refusal)
}

func slow(ctx context.Context, _ []byte) ([]byte, error) {
	select {
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case <-time.After(2 * time.Second):
		return []byte("late"), nil
	}
}

func sum(stream grpc.ServerStream) ([]byte, error) {
	digest := sha256.New()
	var count uint64
	for {
		var request []byte
		err := stream.RecvMsg(&request)
		if err == io.EOF {
			return digest.Sum(binary.BigEndian.AppendUint64(nil, count)), nil
		}
		if err != nil {
			return nil, err
		}
		digest.Write(request)
		count++
	}
}

func refuseUpload(stream grpc.ServerStream) ([]byte, error) {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return nil, err
	}
	return nil, status.Error(codes.ResourceExhausted, "one is enough")
}

func main() {
	certificate := flag.String("certificate", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	age := flag.Duration("max-connection-age", 0, "retire connections after this long")
	flag.Parse()
	tls, err := credentials.NewServerTLSFromFile(*certificate, *key)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(tls), grpc.ForceServerCodec(plain{}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: *age}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Peer",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{unary("Echo", echo), unary("Refuse", refuse), unary("Slow", slow)},
		Streams:     []grpc.StreamDesc{upload("Sum", sum), upload("RefuseUpload", refuseUpload)},
	}, nil)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
