// refconnector is a Crisp connector as one would write it on ConductorOne's SDK without having seen
// ours: the peer in behaviour and in speed.
package main

import (
	"strings"

	"example.invalid/baton-crisp/interop/crispconn"
	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
)

type model struct{}

func (model) Team(entries []crispconn.Operator) []crispconn.Operator {
	out := make([]crispconn.Operator, 0, len(entries))
	for _, e := range entries {
		if e.UserID != "" {
			out = append(out, e)
		}
	}
	return out
}

func (model) Operator(op *crispconn.Operator) (*v2.Resource, error) {
	name := strings.TrimSpace(op.FirstName + " " + op.LastName)
	if name == "" {
		name = op.Email
	}
	return resource.NewUserResource(name, crispconn.OperatorType, op.UserID, []resource.UserTraitOption{
		resource.WithEmail(op.Email, true),
		resource.WithUserLogin(op.Email),
		resource.WithStatus(v2.UserTrait_Status_STATUS_ENABLED),
		resource.WithUserProfile(map[string]any{
			"user_id":    op.UserID,
			"email":      op.Email,
			"first_name": op.FirstName,
			"last_name":  op.LastName,
			"role":       op.Role,
			"title":      op.Title,
		}),
	})
}

func (model) Website(site *crispconn.Website) (*v2.Resource, error) {
	return resource.NewResource(site.Name, crispconn.WebsiteType, site.ID,
		resource.WithAnnotation(&v2.ExternalLink{Url: "https://app.crisp.chat/website/" + site.ID + "/"}))
}

func (model) Entitlements(website *v2.Resource) []*v2.Entitlement {
	var out []*v2.Entitlement
	for _, role := range []string{"owner", "member"} {
		out = append(out, entitlement.NewAssignmentEntitlement(website, role,
			entitlement.WithGrantableTo(crispconn.OperatorType),
			entitlement.WithDisplayName(website.GetDisplayName()+" "+role),
			entitlement.WithDescription("Has the "+role+" role on "+website.GetDisplayName()),
		))
	}
	return out
}

func (model) Grant(website *v2.Resource, op *crispconn.Operator) *v2.Grant {
	if op.Role != "owner" && op.Role != "member" {
		return nil
	}
	return grant.NewGrant(website, op.Role,
		v2.ResourceId_builder{ResourceType: "operator", Resource: op.UserID}.Build())
}

func main() { crispconn.Run("refconnector", model{}) }
