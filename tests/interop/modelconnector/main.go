// modelconnector is baton-crisp's resource model written a second time, on ConductorOne's SDK: what
// the real command line tool prints of its file is what it must print of ours.
package main

import (
	"net/mail"
	"slices"
	"strings"

	"example.invalid/baton-crisp/interop/crispconn"
	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/types/entitlement"
	"github.com/conductorone/baton-sdk/pkg/types/grant"
	"github.com/conductorone/baton-sdk/pkg/types/resource"
)

type model struct{}

// role returns the known role, or what Crisp sent if it is not one.
func role(sent string) (string, bool) {
	known := strings.ToLower(strings.TrimSpace(sent))
	if known == "owner" || known == "member" {
		return known, true
	}
	return sent, false
}

func (model) Team(entries []crispconn.Operator) []crispconn.Operator {
	byID := map[string]crispconn.Operator{}
	for _, e := range entries {
		known := false
		e.Role, known = role(e.Role)
		if e.UserID == "" || (e.Type != "operator" && !known) {
			continue
		}
		if _, twice := byID[e.UserID]; !twice || e.Role == "owner" {
			byID[e.UserID] = e
		}
	}
	out := make([]crispconn.Operator, 0, len(byID))
	for _, e := range byID {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b crispconn.Operator) int { return strings.Compare(a.UserID, b.UserID) })
	return out
}

// firstOf returns the first text that is more than blanks, without the blanks around it.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}

// profile keeps the pairs that say something.
func profile(pairs ...[2]string) map[string]any {
	out := map[string]any{}
	for _, p := range pairs {
		if p[1] != "" {
			out[p[0]] = p[1]
		}
	}
	return out
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func (model) Operator(op *crispconn.Operator) (*v2.Resource, error) {
	name := strings.TrimSpace(op.FirstName) + " " + strings.TrimSpace(op.LastName)
	opts := []resource.UserTraitOption{
		resource.WithUserLogin(op.Email),
		resource.WithStatus(v2.UserTrait_Status_STATUS_ENABLED),
		resource.WithAccountType(v2.UserTrait_ACCOUNT_TYPE_HUMAN),
		resource.WithUserProfile(profile(
			[2]string{"user_id", op.UserID},
			[2]string{"email", op.Email},
			[2]string{"first_name", op.FirstName},
			[2]string{"last_name", op.LastName},
			[2]string{"role", op.Role},
			[2]string{"title", op.Title})),
	}
	if isEmail(op.Email) {
		opts = append(opts, resource.WithEmail(op.Email, true))
	}
	if op.HasToken != nil {
		opts = append(opts, resource.WithMFAStatus(
			v2.UserTrait_MFAStatus_builder{MfaEnabled: *op.HasToken}.Build()))
	}
	return resource.NewUserResource(firstOf(name, op.Email, op.UserID), crispconn.OperatorType, op.UserID, opts)
}

func (model) Website(site *crispconn.Website) (*v2.Resource, error) {
	return resource.NewResource(firstOf(site.Name, site.Domain, site.ID), crispconn.WebsiteType, site.ID,
		resource.WithAnnotation(&v2.ExternalLink{Url: "https://app.crisp.chat/website/" + site.ID + "/"}),
		resource.WithResourceProfile(profile(
			[2]string{"website_id", site.ID},
			[2]string{"name", site.Name},
			[2]string{"domain", site.Domain},
			[2]string{"logo", site.Logo})))
}

func (model) Entitlements(website *v2.Resource) []*v2.Entitlement {
	site := website.GetDisplayName()
	var out []*v2.Entitlement
	for _, r := range [][2]string{{"owner", "Owner"}, {"member", "Member"}} {
		out = append(out, entitlement.NewPermissionEntitlement(website, r[0],
			entitlement.WithGrantableTo(crispconn.OperatorType),
			entitlement.WithDisplayName(site+" Website "+r[1]),
			entitlement.WithDescription(r[1]+" of the "+site+" website in Crisp"),
		))
	}
	return out
}

func (model) Grant(website *v2.Resource, op *crispconn.Operator) *v2.Grant {
	r, known := role(op.Role)
	if !known {
		return nil
	}
	return grant.NewGrant(website, r,
		v2.ResourceId_builder{ResourceType: "operator", Resource: op.UserID}.Build())
}

func main() { crispconn.Run("modelconnector", model{}) }
