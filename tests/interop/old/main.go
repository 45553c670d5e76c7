// oldbaton reads a .c1z with the file format library of baton-sdk v0.7, which knows only SQLite
// files and an older schema, and prints what it finds as JSON: one object, the list under the name
// of the command. `append` writes instead: it copies the newest finished sync into a new one.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	reader_v2 "github.com/conductorone/baton-sdk/pb/c1/reader/v2"
	"github.com/conductorone/baton-sdk/pkg/connectorstore"
	"github.com/conductorone/baton-sdk/pkg/dotc1z"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// collect follows the page tokens of one list call.
func collect[T proto.Message](page func(token string) ([]T, string, error)) ([]T, error) {
	var all []T
	token := ""
	for {
		list, next, err := page(token)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if next == "" {
			return all, nil
		}
		token = next
	}
}

type lister struct {
	ctx   context.Context
	store *dotc1z.C1File
}

func (l lister) resourceTypes() ([]*v2.ResourceType, error) {
	return collect(func(token string) ([]*v2.ResourceType, string, error) {
		r, err := l.store.ListResourceTypes(l.ctx,
			v2.ResourceTypesServiceListResourceTypesRequest_builder{PageToken: token}.Build())
		return r.GetList(), r.GetNextPageToken(), err
	})
}

func (l lister) resources() ([]*v2.Resource, error) {
	return collect(func(token string) ([]*v2.Resource, string, error) {
		r, err := l.store.ListResources(l.ctx,
			v2.ResourcesServiceListResourcesRequest_builder{PageToken: token}.Build())
		return r.GetList(), r.GetNextPageToken(), err
	})
}

func (l lister) entitlements() ([]*v2.Entitlement, error) {
	return collect(func(token string) ([]*v2.Entitlement, string, error) {
		r, err := l.store.ListEntitlements(l.ctx,
			v2.EntitlementsServiceListEntitlementsRequest_builder{PageToken: token}.Build())
		return r.GetList(), r.GetNextPageToken(), err
	})
}

func (l lister) grants() ([]*v2.Grant, error) {
	return collect(func(token string) ([]*v2.Grant, string, error) {
		r, err := l.store.ListGrants(l.ctx,
			v2.GrantsServiceListGrantsRequest_builder{PageToken: token}.Build())
		return r.GetList(), r.GetNextPageToken(), err
	})
}

func (l lister) syncs() ([]*reader_v2.SyncRun, error) {
	return collect(func(token string) ([]*reader_v2.SyncRun, string, error) {
		r, err := l.store.ListSyncs(l.ctx,
			reader_v2.SyncsReaderServiceListSyncsRequest_builder{PageToken: token}.Build())
		return r.GetSyncs(), r.GetNextPageToken(), err
	})
}

// asJSON prints messages by their own rules and anything else by Go's.
func asJSON[T proto.Message](name string, messages []T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	list := make([]json.RawMessage, 0, len(messages))
	for _, m := range messages {
		b, err := protojson.Marshal(m)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return map[string]any{name: list}, nil
}

// appendCopy makes the old library write: the rows of the newest finished sync, as a new sync.
func (l lister) appendCopy() (any, error) {
	types, err := l.resourceTypes()
	if err != nil {
		return nil, err
	}
	resources, err := l.resources()
	if err != nil {
		return nil, err
	}
	entitlements, err := l.entitlements()
	if err != nil {
		return nil, err
	}
	grants, err := l.grants()
	if err != nil {
		return nil, err
	}
	id, err := l.store.StartNewSync(l.ctx, connectorstore.SyncTypeFull, "")
	if err != nil {
		return nil, err
	}
	for _, put := range []func() error{
		func() error { return l.store.PutResourceTypes(l.ctx, types...) },
		func() error { return l.store.PutResources(l.ctx, resources...) },
		func() error { return l.store.PutEntitlements(l.ctx, entitlements...) },
		func() error { return l.store.PutGrants(l.ctx, grants...) },
		func() error { return l.store.EndSync(l.ctx) },
	} {
		if err := put(); err != nil {
			return nil, err
		}
	}
	return map[string]any{"syncId": id}, nil
}

func run(ctx context.Context, path, command string) (out any, err error) {
	store, err := dotc1z.NewC1ZFile(ctx, path, dotc1z.WithReadOnly(command != "append"))
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := store.Close(ctx); err == nil {
			err = closeErr
		}
	}()
	newest, err := store.LatestFinishedSyncID(ctx, connectorstore.SyncTypeAny)
	if err != nil {
		return nil, err
	}
	if newest != "" {
		if err := store.ViewSync(ctx, newest); err != nil {
			return nil, err
		}
	}
	l := lister{ctx, store}
	switch command {
	case "resource-types":
		list, err := l.resourceTypes()
		return asJSON("resourceTypes", list, err)
	case "resources":
		list, err := l.resources()
		return asJSON("resources", list, err)
	case "entitlements":
		list, err := l.entitlements()
		return asJSON("entitlements", list, err)
	case "grants":
		list, err := l.grants()
		return asJSON("grants", list, err)
	case "syncs":
		list, err := l.syncs()
		return asJSON("syncs", list, err)
	case "stats":
		return store.Stats(ctx, connectorstore.SyncTypeAny, newest)
	case "append":
		return l.appendCopy()
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: oldbaton FILE resource-types|resources|entitlements|grants|syncs|stats|append")
		os.Exit(2)
	}
	out, err := run(context.Background(), os.Args[1], os.Args[2])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
