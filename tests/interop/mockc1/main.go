// mockc1 plays C1 for a connector in service mode: the token endpoint and BatonService on one TLS port,
// faults on demand, and a log of every message. It is strict: calls without a token it has issued and
// messages that break the rules of the .proto files are refused.
//
//	mockc1 --dir DIR --tasks hello,fullsync
//
// It listens on a free port and leaves in DIR: port (the number), cert.pem, creds.env (what the connector
// needs), log.jsonl, and what is uploaded. To standard output it says, a line each: "listening on ADDRESS";
// "done N" when all tasks so far have been finished; "idle" at the first poll that finds nothing left.
// A line of standard input is a list of more tasks, or none; at its end mockc1 ends.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/conductorone/baton-sdk/pb/c1/connectorapi/baton/v1"
	"google.golang.org/grpc"
)

type options struct {
	dir           string
	tasks         string
	debug         bool
	tokenTTL      int
	tokenType     string
	tokenStatus   int
	tokenFail     int
	nextPoll      time.Duration
	nextHeartbeat time.Duration
	cancelAfter   int
	requeue       int
	faults        faultList
}

func parse() *options {
	o := &options{}
	flag.StringVar(&o.dir, "dir", "", "a directory that exists, for everything it writes")
	flag.StringVar(&o.tasks, "tasks", "", "comma list of names, each with *COUNT if wanted; list-tasks shows them")
	flag.BoolVar(&o.debug, "debug-tasks", false, "ask for the debug log of every task")
	flag.IntVar(&o.tokenTTL, "token-ttl", 3600, "expires_in of tokens, in seconds; they are refused after it")
	flag.StringVar(&o.tokenType, "token-type", "Bearer", "token_type of tokens")
	flag.IntVar(&o.tokenStatus, "token-status", 200, "HTTP status of every answer of the token endpoint")
	flag.IntVar(&o.tokenFail, "token-fail", 0, "answer the first `N` token requests with 503")
	flag.DurationVar(&o.nextPoll, "next-poll", 500*time.Millisecond, "next_poll of answers; 0: unset")
	flag.DurationVar(&o.nextHeartbeat, "next-heartbeat", time.Second, "next_heartbeat of answers; 0: unset")
	flag.IntVar(&o.cancelAfter, "cancel-after", 0, "cancel each task with its `N`th heartbeat")
	flag.IntVar(&o.requeue, "requeue", 0, "hand out again, up to `N` times, what was finished with a retryable error")
	flag.Var(&o.faults, "fault", "`Method:Code[:count[:delay]]`, for example Hello:Unavailable:2 or FinishTask:OK:1:5s; "+
		"UploadAsset fails at its first message, UploadEnd at its last. Faults of a method come in the order given; may be repeated")
	flag.Parse()
	return o
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "list-tasks" {
		fmt.Println(strings.Join(taskNames(), "\n"))
		return
	}
	if err := run(parse()); err != nil {
		fmt.Fprintln(os.Stderr, "mockc1:", err)
		os.Exit(1)
	}
}

// leave writes a small file at once as a whole, so that nobody reads half of it.
func leave(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func run(o *options) error {
	record, err := newRecorder(filepath.Join(o.dir, "log.jsonl"))
	if err != nil {
		return err
	}
	queue := newQueue(o)
	if err := queue.add(o.tasks); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	identity, err := newIdentity(o.dir, address)
	if err != nil {
		return err
	}
	tokens := &tokenServer{options: o, identity: identity, issued: map[string]time.Time{}}
	service := &service{options: o, tokens: tokens, queue: queue}
	calls := grpc.NewServer(grpc.UnaryInterceptor(service.unary), grpc.MaxRecvMsgSize(8<<20))
	v1.RegisterBatonServiceServer(calls, service)
	server := &http.Server{
		Handler: route(record, tokens, calls),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{identity.certificate}, MinVersion: tls.VersionTLS12,
			NextProtos: []string{"h2", "http/1.1"}},
	}
	_, port, _ := net.SplitHostPort(address)
	if err := leave(filepath.Join(o.dir, "port"), port+"\n"); err != nil {
		return err
	}
	fmt.Println("listening on", address)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if err := queue.add(lines.Text()); err != nil {
				fmt.Fprintln(os.Stderr, "mockc1:", err)
				os.Exit(1)
			}
		}
		os.Exit(0)
	}()
	return server.ServeTLS(listener, "", "")
}

// route gives each request its record, which the handlers fill.
func route(record *recorder, tokens *tokenServer, calls http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := record.begin(r)
		defer record.end(e)
		switch {
		case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
			e.Method = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
			calls.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), entryKey{}, e)))
		case r.URL.Path == "/auth/v1/token":
			e.Method = "token"
			tokens.serve(w, r, e)
		default:
			e.Method, e.Code = r.URL.Path, strconv.Itoa(http.StatusNotFound)
			http.NotFound(w, r)
		}
	})
}
