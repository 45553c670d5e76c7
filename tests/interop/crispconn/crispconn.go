// Package crispconn is the part of a Crisp connector that does not depend on the resource model:
// settings, the two GETs, paging, and the SDK's entry point. The model is the caller's, so that two
// connectors which differ in nothing else can be compared.
package crispconn

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/annotations"
	"github.com/conductorone/baton-sdk/pkg/cli"
	"github.com/conductorone/baton-sdk/pkg/config"
	"github.com/conductorone/baton-sdk/pkg/connectorbuilder"
	"github.com/conductorone/baton-sdk/pkg/connectorrunner"
	"github.com/conductorone/baton-sdk/pkg/field"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
	"github.com/conductorone/baton-sdk/pkg/uhttp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const defaultBaseURL = "https://api.crisp.chat/v1"

// pageSize keeps every gRPC response well under the 4 MiB receive limit.
const pageSize = 1000

// Operator is what Crisp says of one entry of the team list.
type Operator struct {
	Type      string `json:"-"`
	UserID    string `json:"user_id"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Role      string `json:"role"`
	Title     string `json:"title"`
	HasToken  *bool  `json:"has_token"`
}

// Website is what Crisp says of the website.
type Website struct {
	ID     string `json:"website_id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
	Logo   string `json:"logo"`
}

// Model turns Crisp's facts into Baton's. Team drops, merges and orders the entries of the list.
type Model interface {
	Team(entries []Operator) []Operator
	Operator(op *Operator) (*v2.Resource, error)
	Website(site *Website) (*v2.Resource, error)
	Entitlements(website *v2.Resource) []*v2.Entitlement
	// Grant returns nil for an operator without a known role.
	Grant(website *v2.Resource, op *Operator) *v2.Grant
}

var (
	OperatorType = v2.ResourceType_builder{
		Id:          "operator",
		DisplayName: "Operator",
		Description: "A member of the Crisp website team",
		Traits:      []v2.ResourceType_Trait{v2.ResourceType_TRAIT_USER},
		Annotations: annotations.New(&v2.SkipEntitlementsAndGrants{}),
	}.Build()
	WebsiteType = v2.ResourceType_builder{
		Id:          "website",
		DisplayName: "Website",
		Description: "A Crisp website",
	}.Build()
)

type settings struct {
	Identifier string `mapstructure:"crisp-api-identifier"`
	Key        string `mapstructure:"crisp-api-key"`
	WebsiteID  string `mapstructure:"crisp-website-id"`
	Tier       string `mapstructure:"crisp-api-tier"`
	BaseURL    string `mapstructure:"base-url"`
	Refuse     bool   `mapstructure:"refuse-grants"`
}

func (s *settings) GetString(key string) string {
	switch key {
	case "crisp-api-identifier":
		return s.Identifier
	case "crisp-api-key":
		return s.Key
	case "crisp-website-id":
		return s.WebsiteID
	case "crisp-api-tier":
		return s.Tier
	case "base-url":
		return s.BaseURL
	}
	return ""
}

func (s *settings) GetBool(key string) bool            { return key == "refuse-grants" && s.Refuse }
func (s *settings) GetInt(string) int                  { return 0 }
func (s *settings) GetStringSlice(string) []string     { return nil }
func (s *settings) GetStringMap(string) map[string]any { return nil }

var schema = field.NewConfiguration([]field.SchemaField{
	field.StringField("crisp-api-identifier", field.WithRequired(true),
		field.WithDisplayName("Crisp API identifier"),
		field.WithDescription("The identifier half of the Crisp token pair")),
	field.StringField("crisp-api-key", field.WithRequired(true), field.WithIsSecret(true),
		field.WithDisplayName("Crisp API key"),
		field.WithDescription("The key half of the Crisp token pair")),
	field.StringField("crisp-website-id", field.WithRequired(true),
		field.WithDisplayName("Crisp Website ID"),
		field.WithDescription("The Crisp website to govern")),
	field.StringField("crisp-api-tier", field.WithDefaultValue("plugin"),
		field.WithDisplayName("Crisp API tier"),
		field.WithDescription("The tier of the token pair: plugin, website or user")),
	field.StringField("base-url", field.WithDefaultValue(defaultBaseURL), field.WithHidden(true),
		field.WithExportTarget(field.ExportTargetCLIOnly),
		field.WithDescription("Base URL of the Crisp REST API")),
	field.BoolField("refuse-grants", field.WithHidden(true), field.WithExportTarget(field.ExportTargetCLIOnly),
		field.WithDescription("Refuse to list grants: leaves an unfinished sync that has rows")),
}, field.WithConnectorDisplayName("Crisp"), field.WithHelpUrl("/docs/baton/crisp"),
	field.WithIconUrl("/static/app-icons/crisp.svg"))

type client struct {
	settings *settings
	http     *uhttp.BaseHttpClient
	base     *url.URL
	model    Model

	mu   sync.Mutex
	memo []Operator
}

func (c *client) get(ctx context.Context, path string, out any) error {
	req, err := c.http.NewRequest(ctx, http.MethodGet, c.base.JoinPath(path),
		uhttp.WithAcceptJSONHeader(), uhttp.WithHeader("X-Crisp-Tier", c.settings.Tier))
	if err != nil {
		return err
	}
	req.SetBasicAuth(c.settings.Identifier, c.settings.Key)
	resp, err := c.http.Do(req, uhttp.WithJSONResponse(out))
	if resp != nil {
		defer resp.Body.Close()
	}
	return err
}

func (c *client) website(ctx context.Context) (*Website, error) {
	var answer struct {
		Data Website `json:"data"`
	}
	if err := c.get(ctx, "website/"+c.settings.WebsiteID, &answer); err != nil {
		return nil, err
	}
	return &answer.Data, nil
}

func (c *client) operators(ctx context.Context) ([]Operator, error) {
	var answer struct {
		Data []struct {
			Type    string   `json:"type"`
			Details Operator `json:"details"`
		} `json:"data"`
	}
	if err := c.get(ctx, "website/"+c.settings.WebsiteID+"/operators/list", &answer); err != nil {
		return nil, err
	}
	entries := make([]Operator, 0, len(answer.Data))
	for _, d := range answer.Data {
		d.Details.Type = d.Type
		entries = append(entries, d.Details)
	}
	return c.model.Team(entries), nil
}

// operatorPage returns one page of operators. The upstream list is fetched once per sync (when
// fresh is set, at the first page of the operator listing) and reused for the other pages and for
// the grants.
func (c *client) operatorPage(ctx context.Context, token string, fresh bool) ([]Operator, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (fresh && token == "") || c.memo == nil {
		ops, err := c.operators(ctx)
		if err != nil {
			return nil, "", err
		}
		c.memo = ops
	}
	start := 0
	if token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 || n > len(c.memo) {
			return nil, "", status.Errorf(codes.InvalidArgument, "bad page token %q", token)
		}
		start = n
	}
	end := min(start+pageSize, len(c.memo))
	next := ""
	if end < len(c.memo) {
		next = strconv.Itoa(end)
	}
	return c.memo[start:end], next, nil
}

type connector struct{ c *client }

func (d *connector) Metadata(context.Context) (*v2.ConnectorMetadata, error) {
	return v2.ConnectorMetadata_builder{
		DisplayName: "Crisp",
		Description: "Syncs the operators of a Crisp website",
	}.Build(), nil
}

func (d *connector) Validate(ctx context.Context) (annotations.Annotations, error) {
	_, err := d.c.website(ctx)
	return nil, err
}

func (d *connector) ResourceSyncers(context.Context) []connectorbuilder.ResourceSyncerV2 {
	return []connectorbuilder.ResourceSyncerV2{&operatorSyncer{d.c}, &websiteSyncer{d.c}}
}

type operatorSyncer struct{ c *client }

func (o *operatorSyncer) ResourceType(context.Context) *v2.ResourceType { return OperatorType }

func (o *operatorSyncer) List(ctx context.Context, _ *v2.ResourceId, attrs resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	ops, next, err := o.c.operatorPage(ctx, attrs.PageToken.Token, true)
	if err != nil {
		return nil, nil, err
	}
	out := make([]*v2.Resource, 0, len(ops))
	for i := range ops {
		r, err := o.c.model.Operator(&ops[i])
		if err != nil {
			return nil, nil, err
		}
		out = append(out, r)
	}
	return out, &resource.SyncOpResults{NextPageToken: next}, nil
}

func (o *operatorSyncer) Entitlements(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

func (o *operatorSyncer) Grants(context.Context, *v2.Resource, resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	return nil, nil, nil
}

type websiteSyncer struct{ c *client }

func (w *websiteSyncer) ResourceType(context.Context) *v2.ResourceType { return WebsiteType }

func (w *websiteSyncer) List(ctx context.Context, _ *v2.ResourceId, _ resource.SyncOpAttrs) ([]*v2.Resource, *resource.SyncOpResults, error) {
	site, err := w.c.website(ctx)
	if err != nil {
		return nil, nil, err
	}
	r, err := w.c.model.Website(site)
	if err != nil {
		return nil, nil, err
	}
	return []*v2.Resource{r}, &resource.SyncOpResults{}, nil
}

func (w *websiteSyncer) Entitlements(_ context.Context, r *v2.Resource, _ resource.SyncOpAttrs) ([]*v2.Entitlement, *resource.SyncOpResults, error) {
	return w.c.model.Entitlements(r), &resource.SyncOpResults{}, nil
}

func (w *websiteSyncer) Grants(ctx context.Context, r *v2.Resource, attrs resource.SyncOpAttrs) ([]*v2.Grant, *resource.SyncOpResults, error) {
	if w.c.settings.Refuse {
		return nil, nil, status.Error(codes.PermissionDenied, "asked to refuse the grants")
	}
	ops, next, err := w.c.operatorPage(ctx, attrs.PageToken.Token, false)
	if err != nil {
		return nil, nil, err
	}
	var out []*v2.Grant
	for i := range ops {
		if g := w.c.model.Grant(r, &ops[i]); g != nil {
			out = append(out, g)
		}
	}
	return out, &resource.SyncOpResults{NextPageToken: next}, nil
}

func open(ctx context.Context, s *settings, model Model) (connectorbuilder.ConnectorBuilderV2, []connectorbuilder.Opt, error) {
	if s.Tier == "" {
		s.Tier = "plugin"
	}
	if s.BaseURL == "" {
		s.BaseURL = defaultBaseURL
	}
	switch s.Tier {
	case "plugin", "website", "user":
	default:
		return nil, nil, status.Errorf(codes.InvalidArgument,
			"crisp-api-tier must be plugin, website or user, got %q", s.Tier)
	}
	base, err := url.Parse(s.BaseURL)
	if err != nil {
		return nil, nil, err
	}
	plain, err := uhttp.NewClient(ctx, uhttp.WithLogger(true, nil))
	if err != nil {
		return nil, nil, err
	}
	cached, err := uhttp.NewBaseHttpClientWithContext(ctx, plain)
	if err != nil {
		return nil, nil, err
	}
	return &connector{&client{settings: s, http: cached, base: base, model: model}}, nil, nil
}

// Run is the whole main function of a connector with this model.
func Run(name string, model Model) {
	config.RunConnector(context.Background(), name, "interop", schema,
		func(ctx context.Context, s *settings, _ *cli.ConnectorOpts) (connectorbuilder.ConnectorBuilderV2, []connectorbuilder.Opt, error) {
			return open(ctx, s, model)
		},
		connectorrunner.WithDefaultCapabilitiesConnectorBuilderV2(
			&connector{&client{settings: &settings{}, model: model}}))
}
