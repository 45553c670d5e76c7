// svcdemo is the smallest connector on ConductorOne's SDK with our two resource types: what it does in
// service mode is what the SDK itself does, since there is no source behind it that could play a part.
// SVCDEMO_TEAM is how many people there are (3), SVCDEMO_SLEEP makes listing them take so long, and
// SVCDEMO_REFUSE makes it fail with that text.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
	"time"

	"example.invalid/baton-crisp/interop/crispconn"
	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/annotations"
	"github.com/conductorone/baton-sdk/pkg/cli"
	"github.com/conductorone/baton-sdk/pkg/config"
	"github.com/conductorone/baton-sdk/pkg/connectorbuilder"
	"github.com/conductorone/baton-sdk/pkg/field"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func team() []string {
	count, err := strconv.Atoi(os.Getenv("SVCDEMO_TEAM"))
	if err != nil {
		count = 3
	}
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("%x", sha256.Sum256([]byte(strconv.Itoa(i)))) // does not compress
	}
	return names
}

type settings struct{}

func (settings) GetString(string) string            { return "" }
func (settings) GetBool(string) bool                { return false }
func (settings) GetInt(string) int                  { return 0 }
func (settings) GetStringSlice(string) []string     { return nil }
func (settings) GetStringMap(string) map[string]any { return nil }

type connector struct{}

func (connector) Metadata(context.Context) (*v2.ConnectorMetadata, error) {
	return v2.ConnectorMetadata_builder{DisplayName: "Demo", Description: "Three people"}.Build(), nil
}

func (connector) Validate(context.Context) (annotations.Annotations, error) { return nil, nil }

func (connector) ResourceSyncers(context.Context) []connectorbuilder.ResourceSyncerV2 {
	return []connectorbuilder.ResourceSyncerV2{people{}, sites{}}
}

type people struct{}

func (people) ResourceType(context.Context) *v2.ResourceType { return crispconn.OperatorType }

func (people) List(ctx context.Context, _ *v2.ResourceId, _ resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	if wait, _ := time.ParseDuration(os.Getenv("SVCDEMO_SLEEP")); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	if text := os.Getenv("SVCDEMO_REFUSE"); text != "" {
		return nil, nil, status.Error(codes.PermissionDenied, text)
	}
	var all []*v2.Resource
	for _, name := range team() {
		one, err := resource.NewUserResource(name, crispconn.OperatorType, name, nil)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, one)
	}
	return all, nil, nil
}

func (people) Entitlements(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func (people) Grants(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

type sites struct{}

func (sites) ResourceType(context.Context) *v2.ResourceType { return crispconn.WebsiteType }

func (sites) List(context.Context, *v2.ResourceId, resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	site, err := resource.NewResource("Site", crispconn.WebsiteType, "s1")
	return []*v2.Resource{site}, nil, err
}

func (sites) Entitlements(_ context.Context, site *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return []*v2.Entitlement{
		entitlement.NewAssignmentEntitlement(site, "member", entitlement.WithGrantableTo(crispconn.OperatorType)),
	}, nil, nil
}

func (sites) Grants(_ context.Context, site *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	var all []*v2.Grant
	for _, name := range team() {
		all = append(all, grant.NewGrant(site, "member",
			v2.ResourceId_builder{ResourceType: "operator", Resource: name}.Build()))
	}
	return all, nil, nil
}

func main() {
	config.RunConnector(context.Background(), "svcdemo", "interop", field.NewConfiguration(nil),
		func(context.Context, settings, *cli.ConnectorOpts) (connectorbuilder.ConnectorBuilderV2, []connectorbuilder.Opt, error) {
			return connector{}, nil, nil
		})
}
