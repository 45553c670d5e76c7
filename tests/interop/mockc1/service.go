package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/conductorone/baton-sdk/pb/c1/connectorapi/baton/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// --- faults ---

type fault struct {
	code  codes.Code
	delay time.Duration
}

// faultList holds the faults still to come, by method.
type faultList struct {
	mu       sync.Mutex
	byMethod map[string][]fault
}

func (l *faultList) String() string { return "" }

func codeNamed(name string) (codes.Code, error) {
	for c := codes.OK; c <= codes.Unauthenticated; c++ {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%q is no code of gRPC, as Go writes them", name)
}

func (l *faultList) Set(text string) error {
	part := strings.Split(text, ":")
	if len(part) < 2 || len(part) > 4 {
		return errors.New("want Method:Code[:count[:delay]]")
	}
	code, err := codeNamed(part[1])
	if err != nil {
		return err
	}
	f, count := fault{code: code}, 1
	if len(part) > 2 {
		if count, err = strconv.Atoi(part[2]); err != nil {
			return err
		}
	}
	if len(part) > 3 {
		if f.delay, err = time.ParseDuration(part[3]); err != nil {
			return err
		}
	}
	if l.byMethod == nil {
		l.byMethod = map[string][]fault{}
	}
	for range count {
		l.byMethod[part[0]] = append(l.byMethod[part[0]], f)
	}
	return nil
}

// hit takes the next fault of the method, waits as long as it says, and returns its error.
func (l *faultList) hit(method string) error {
	l.mu.Lock()
	list := l.byMethod[method]
	if len(list) == 0 {
		l.mu.Unlock()
		return nil
	}
	l.byMethod[method] = list[1:]
	l.mu.Unlock()
	time.Sleep(list[0].delay)
	return status.Error(list[0].code, "ordered fault")
}

// --- the service ---

type service struct {
	v1.UnimplementedBatonServiceServer
	options *options
	tokens  *tokenServer
	queue   *queue
}

// violation says which rule of the .proto files the message breaks.
func violation(m any) string {
	if v, ok := m.(interface{ ValidateAll() error }); ok {
		if err := v.ValidateAll(); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (s *service) check(e *entry, m any) error {
	if e.Violation = violation(m); e.Violation != "" {
		return status.Error(codes.InvalidArgument, e.Violation)
	}
	return nil
}

func note(e *entry, err error) {
	e.Code = status.Code(err).String()
	if err != nil {
		e.Message = status.Convert(err).Message()
	}
}

func noteDeadline(ctx context.Context, e *entry) {
	if d, ok := ctx.Deadline(); ok {
		e.Deadline = time.Until(d).Seconds()
	}
}

func (s *service) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	e := entryOf(ctx)
	noteDeadline(ctx, e)
	e.Request = shown(req.(proto.Message))
	err := s.tokens.check(e.Headers["authorization"])
	if err == nil {
		err = s.check(e, req)
	}
	if err == nil {
		err = s.options.faults.hit(e.Method)
	}
	var answer any
	if err == nil {
		answer, err = handle(ctx, req)
	}
	note(e, err)
	if err == nil {
		e.Answer = shown(answer.(proto.Message))
	}
	return answer, err
}

func (s *service) Hello(_ context.Context, r *v1.BatonServiceHelloRequest) (*v1.BatonServiceHelloResponse, error) {
	if r.GetTaskId() != "" {
		s.queue.finish(r.GetTaskId())
	}
	return &v1.BatonServiceHelloResponse{}, nil
}

func duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func (s *service) GetTask(context.Context, *v1.BatonServiceGetTaskRequest) (*v1.BatonServiceGetTaskResponse, error) {
	answer := &v1.BatonServiceGetTaskResponse{}
	answer.SetNextPoll(duration(s.options.nextPoll))
	answer.SetNextHeartbeat(duration(s.options.nextHeartbeat))
	if tasks := s.queue.take(1); len(tasks) == 1 {
		answer.SetTask(tasks[0])
	} else {
		none := &v1.Task{}
		none.SetNone(&v1.Task_NoneTask{})
		answer.SetTask(none)
	}
	return answer, nil
}

func (s *service) GetTasks(_ context.Context, r *v1.BatonServiceGetTasksRequest) (*v1.BatonServiceGetTasksResponse, error) {
	answer := &v1.BatonServiceGetTasksResponse{}
	answer.SetNextPoll(duration(s.options.nextPoll))
	answer.SetNextHeartbeat(duration(s.options.nextHeartbeat))
	answer.SetTasks(s.queue.take(int(r.GetPageSize())))
	return answer, nil
}

func (s *service) Heartbeat(_ context.Context, r *v1.BatonServiceHeartbeatRequest) (*v1.BatonServiceHeartbeatResponse, error) {
	answer := &v1.BatonServiceHeartbeatResponse{}
	answer.SetNextHeartbeat(duration(s.options.nextHeartbeat))
	beats := s.queue.beat(r.GetTaskId())
	answer.SetCancelled(s.options.cancelAfter > 0 && beats >= s.options.cancelAfter)
	return answer, nil
}

func (s *service) FinishTask(_ context.Context, r *v1.BatonServiceFinishTaskRequest) (*v1.BatonServiceFinishTaskResponse, error) {
	if !(r.HasError() && !r.GetError().GetNonRetryable() && s.queue.again(r.GetTaskId())) {
		s.queue.finish(r.GetTaskId())
	}
	return &v1.BatonServiceFinishTaskResponse{}, nil
}

// --- uploads ---

type upload struct {
	taskID string
	data   bytes.Buffer
	seen   []any // what is shown of its messages
	isDone bool
}

func (u *upload) metadata(m *v1.BatonServiceUploadAssetRequest_UploadMetadata) error {
	u.seen = append(u.seen, map[string]any{"metadata": shown(m)})
	if len(u.seen) > 1 {
		return status.Error(codes.InvalidArgument, "metadata does not come first")
	}
	u.taskID = m.GetTaskId()
	return nil
}

func (u *upload) add(chunk []byte) error {
	u.seen = append(u.seen, map[string]any{"data": len(chunk)})
	if u.taskID == "" {
		return status.Error(codes.InvalidArgument, "data before metadata")
	}
	u.data.Write(chunk)
	return nil
}

func (u *upload) end(sum []byte) error {
	right := sha256.Sum256(u.data.Bytes())
	u.isDone = bytes.Equal(right[:], sum)
	u.seen = append(u.seen, map[string]any{"eof": map[string]any{"sha256_is_right": u.isDone}})
	if u.taskID == "" {
		return status.Error(codes.InvalidArgument, "end before metadata")
	}
	if !u.isDone {
		return status.Error(codes.DataLoss, "the checksum is wrong")
	}
	return nil
}

func (s *service) receive(stream v1.BatonService_UploadAssetServer, e *entry, u *upload) error {
	if err := s.tokens.check(e.Headers["authorization"]); err != nil {
		return err
	}
	for !u.isDone {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.InvalidArgument, "the stream ended before the end message")
		}
		if err == nil {
			err = s.check(e, m)
		}
		if err != nil {
			return err
		}
		switch {
		case m.HasMetadata():
			if err = u.metadata(m.GetMetadata()); err == nil {
				err = s.options.faults.hit("UploadAsset")
			}
		case m.HasData():
			err = u.add(m.GetData().GetData())
		default:
			if err = s.options.faults.hit("UploadEnd"); err == nil {
				err = u.end(m.GetEof().GetSha256Checksum())
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// kind is what the asset begins like.
func kind(data []byte) string {
	if bytes.HasPrefix(data, []byte("C1Z")) {
		return "c1z"
	}
	return "log"
}

func (s *service) UploadAsset(stream v1.BatonService_UploadAssetServer) error {
	e := entryOf(stream.Context())
	noteDeadline(stream.Context(), e)
	u := &upload{}
	err := s.receive(stream, e, u)
	e.Request = map[string]any{"messages": u.seen}
	if err == nil {
		e.Size = u.data.Len()
		e.File = fmt.Sprintf("%s-%d.%s", u.taskID, s.queue.upload(u.taskID), kind(u.data.Bytes()))
		err = os.WriteFile(filepath.Join(s.options.dir, e.File), u.data.Bytes(), 0o600)
	}
	note(e, err)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&v1.BatonServiceUploadAssetResponse{})
}
