package main

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/conductorone/baton-sdk/pb/c1/connectorapi/baton/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Tasks with everything in them. Beside these, bare-X is an empty task of type X, for every type there
// is, and "untyped" is one of no type.
//
//go:embed tasks.json
var tasksJSON []byte

var bodies = func() map[string]json.RawMessage {
	all := map[string]json.RawMessage{"untyped": json.RawMessage("{}")}
	if err := json.Unmarshal(tasksJSON, &all); err != nil {
		panic(err)
	}
	types := (&v1.Task{}).ProtoReflect().Descriptor().Oneofs().ByName("task_type").Fields()
	for i := range types.Len() {
		name := string(types.Get(i).Name())
		all["bare-"+name] = json.RawMessage(`{"` + name + `":{}}`)
	}
	return all
}()

func taskNames() []string {
	names := make([]string, 0, len(bodies))
	for name := range bodies {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// newID makes 27 letters and digits, as C1's ids have.
func newID() string {
	return (rand.Text() + rand.Text())[:27]
}

type queue struct {
	options *options

	mu       sync.Mutex
	waiting  []*v1.Task
	handed   map[string]*v1.Task
	finished map[string]bool
	again_   map[string]int
	beats    map[string]int
	uploads  map[string]int
	total    int
	isIdle   bool // and said so
}

func newQueue(o *options) *queue {
	return &queue{options: o, handed: map[string]*v1.Task{}, finished: map[string]bool{}, again_: map[string]int{},
		beats: map[string]int{}, uploads: map[string]int{}}
}

func (q *queue) make(name string) (*v1.Task, error) {
	body, ok := bodies[name]
	if !ok {
		return nil, fmt.Errorf("no task is called %q", name)
	}
	task := &v1.Task{}
	if err := protojson.Unmarshal(body, task); err != nil {
		return nil, fmt.Errorf("task %s: %w", name, err)
	}
	task.SetId(newID())
	task.SetDebug(q.options.debug)
	return task, nil
}

// add puts the tasks of a list such as "hello,grant*10" at the end. The next idle poll is told of again,
// even if the list is empty.
func (q *queue) add(list string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for item := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, times, isMany := strings.Cut(item, "*")
		count := 1
		if isMany {
			var err error
			if count, err = strconv.Atoi(times); err != nil {
				return err
			}
		}
		for range count {
			task, err := q.make(name)
			if err != nil {
				return err
			}
			q.waiting = append(q.waiting, task)
			if !task.HasNone() {
				q.total++
			}
		}
	}
	q.isIdle = false
	return nil
}

func (q *queue) take(n int) []*v1.Task {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.waiting))
	taken := q.waiting[:n]
	q.waiting = q.waiting[n:]
	for _, task := range taken {
		q.handed[task.GetId()] = task
	}
	if n == 0 && !q.isIdle {
		q.isIdle = true
		fmt.Println("idle")
	}
	return taken
}

func (q *queue) finish(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.finished[id] || q.handed[id] == nil {
		return
	}
	q.finished[id] = true
	delete(q.handed, id)
	if len(q.finished) == q.total {
		fmt.Println("done", q.total)
	}
}

// again puts a task back, if it may be.
func (q *queue) again(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.again_[id] >= q.options.requeue || q.handed[id] == nil {
		return false
	}
	q.again_[id]++
	q.waiting = append(q.waiting, q.handed[id])
	return true
}

func (q *queue) beat(id string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.beats[id]++
	return q.beats[id]
}

func (q *queue) upload(id string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.uploads[id]++
	return q.uploads[id]
}
