package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// entry is one line of log.jsonl: a request and what came of it. Times are seconds since the start.
type entry struct {
	Began      float64           `json:"began"`
	Ended      float64           `json:"ended"`
	UnixBegan  float64           `json:"unix_began"`
	Connection string            `json:"connection"` // the client's address: one for each connection
	Protocol   string            `json:"protocol"`
	ServerName string            `json:"server_name,omitempty"`
	Authority  string            `json:"authority"`
	Method     string            `json:"method"`
	Headers    map[string]string `json:"headers"`
	Deadline   float64           `json:"deadline_s,omitempty"` // what was left of it; 0: none
	Violation  string            `json:"violation,omitempty"`  // of a rule of the .proto files
	Request    any               `json:"request,omitempty"`
	Answer     any               `json:"answer,omitempty"`
	Code       string            `json:"code"` // of gRPC, or of HTTP for a token
	Message    string            `json:"message,omitempty"`
	File       string            `json:"file,omitempty"` // an upload's
	Size       int               `json:"size,omitempty"`
}

type entryKey struct{}

func entryOf(ctx context.Context) *entry { return ctx.Value(entryKey{}).(*entry) }

type recorder struct {
	mu    sync.Mutex
	file  *os.File
	start time.Time
}

func newRecorder(path string) (*recorder, error) {
	file, err := os.Create(path)
	return &recorder{file: file, start: time.Now()}, err
}

func (r *recorder) now() float64 { return time.Since(r.start).Seconds() }

func (r *recorder) begin(req *http.Request) *entry {
	e := &entry{Began: r.now(), UnixBegan: float64(time.Now().UnixNano()) / 1e9, Connection: req.RemoteAddr,
		Protocol: req.Proto, Authority: req.Host, ServerName: req.TLS.ServerName, Headers: map[string]string{}}
	for name, values := range req.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return e
}

func (r *recorder) end(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Ended = r.now()
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		panic(err)
	}
}

// shown is a message as JSON, with the names of the .proto files.
func shown(m proto.Message) json.RawMessage {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		text, _ = json.Marshal("cannot be shown: " + err.Error())
	}
	return text
}
