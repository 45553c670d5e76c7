// Makes calls with Crisp's official client for Go. Each line of standard input is a batch,
// {"origin": …, "tier": …, "identifier": …, "key": …, "calls": [{"op": …, "args": […]}, …]}; each gives a
// line of output, an array with one answer a call: {"data": …}, or {"status": …, "reason": …} for what
// the client reports as an error.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/crisp-im/go-crisp-api/crisp/v3"
)

type batch struct {
	Origin, Tier, Identifier, Key string
	Calls                         []call
}

type call struct {
	Op   string            `json:"op"`
	Args []json.RawMessage `json:"args"`
}

type answer struct {
	Data   any    `json:"data,omitempty"`
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text,omitempty"`
}

// text, number and value read argument i.
func (c call) text(i int) (s string) { c.value(i, &s); return }

func (c call) number(i int) (n uint) { c.value(i, &n); return }

func (c call) value(i int, v any) {
	if err := json.Unmarshal(c.Args[i], v); err != nil {
		panic(err)
	}
}

type result struct {
	data     any
	response *crisp.Response
	err      error
}

func got[T any](data T, response *crisp.Response, err error) result {
	return result{data, response, err}
}

func done(response *crisp.Response, err error) result {
	return result{map[string]any{}, response, err}
}

func perform(client *crisp.Client, c call) result {
	website, plugin := client.Website, client.Plugin
	switch c.Op {
	case "get_website":
		return got(website.GetWebsite(c.text(0)))
	case "get_settings":
		return got(website.GetWebsiteSettings(c.text(0)))
	case "update_settings":
		var update crisp.WebsiteSettingsUpdate
		c.value(1, &update)
		return done(website.UpdateWebsiteSettings(c.text(0), update))
	case "list_operators":
		return got(website.ListWebsiteOperators(c.text(0)))
	case "list_active":
		return got(website.ListLastActiveWebsiteOperators(c.text(0)))
	case "flush_active":
		return done(website.FlushLastActiveWebsiteOperators(c.text(0)))
	case "send_email":
		var email crisp.WebsiteOperatorEmail
		c.value(1, &email)
		return done(website.SendEmailToWebsiteOperators(c.text(0), email))
	case "get_operator":
		return got(website.GetWebsiteOperator(c.text(0), c.text(1)))
	case "invite_operator":
		var verify crisp.WebsiteOperatorInviteVerify
		c.value(3, &verify)
		return done(website.InviteWebsiteOperator(c.text(0), c.text(1), c.text(2), verify))
	case "change_operator":
		var title *string
		c.value(3, &title)
		return done(website.ChangeOperatorMembership(c.text(0), c.text(1), c.text(2), title))
	case "unlink_operator":
		return done(website.UnlinkOperatorFromWebsite(c.text(0), c.text(1)))
	case "availability_status":
		return got(website.GetWebsiteAvailabilityStatus(c.text(0)))
	case "availability_operators":
		return got(website.ListWebsiteOperatorAvailabilities(c.text(0)))
	case "list_inboxes":
		return got(website.ListInboxes(c.text(0), c.number(1)))
	case "get_inbox":
		return got(website.GetInbox(c.text(0), c.text(1)))
	case "website_endpoints":
		return got(website.GetConnectEndpoints(c.text(0)))
	case "get_plan":
		return got(client.Plan.GetPlanSubscriptionForWebsite(c.text(0)))
	case "plugin_account":
		return got(plugin.GetConnectAccount())
	case "plugin_session":
		return done(plugin.CheckConnectSessionValidity())
	case "plugin_websites":
		return got(plugin.ListAllConnectWebsites(c.number(0), false, true))
	case "plugin_websites_since":
		since, err := time.Parse(time.RFC3339, c.text(0))
		if err != nil {
			panic(err)
		}
		return got(plugin.ListConnectWebsitesSince(since, false, false))
	case "plugin_endpoints":
		return got(plugin.GetConnectEndpoints())
	case "plugin_settings":
		return got(plugin.GetSubscriptionSettings(c.text(0), c.text(1)))
	}
	panic("unknown operation " + c.Op)
}

// report turns "HTTP 404 website_not_found\nPath → …" into its parts; other errors keep their text.
func report(r result) answer {
	if r.err == nil {
		return answer{Data: r.data}
	}
	a := answer{Reason: r.err.Error()}
	if r.response != nil {
		a.Status = r.response.StatusCode
	}
	first, rest, _ := strings.Cut(a.Reason, "\n")
	if status, reason, ok := strings.Cut(strings.TrimPrefix(first, "HTTP "), " "); ok && strings.HasPrefix(first, "HTTP ") {
		fmt.Sscan(status, &a.Status)
		a.Reason, a.Text = reason, rest
	}
	return a
}

// performAll makes the calls all at once: the client's waits between retries add up otherwise.
func performAll(b batch) []answer {
	client := crisp.NewWithConfig(crisp.ClientConfig{RestEndpointURL: b.Origin + "/v1/"})
	client.AuthenticateTier(b.Tier, b.Identifier, b.Key)
	answers := make([]answer, len(b.Calls))
	var group sync.WaitGroup
	for i, c := range b.Calls {
		group.Add(1)
		go func() {
			defer group.Done()
			answers[i] = report(perform(client, c))
		}()
	}
	group.Wait()
	return answers
}

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var b batch
		if err := in.Decode(&b); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		if err := out.Encode(performAll(b)); err != nil {
			panic(err)
		}
	}
}
