package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

type tokenServer struct {
	options  *options
	identity *identity

	mu       sync.Mutex
	requests int
	issued   map[string]time.Time // and until when it is good
}

// check judges the authorization header of a call.
func (t *tokenServer) check(header string) error {
	scheme, token, _ := strings.Cut(header, " ")
	t.mu.Lock()
	until, isKnown := t.issued[token]
	t.mu.Unlock()
	switch {
	case !strings.EqualFold(scheme, t.options.tokenType) && t.options.tokenType != "":
		return status.Errorf(codes.Unauthenticated, "the scheme of the authorization is %q", scheme)
	case !isKnown:
		return status.Error(codes.Unauthenticated, "this token was never issued")
	case time.Now().After(until):
		return status.Error(codes.Unauthenticated, "this token has expired")
	}
	return nil
}

type assertion struct {
	Header struct {
		Alg   string `json:"alg"`
		Nonce string `json:"nonce"`
	}
	Claims struct {
		Iss, Sub, Aud string
		Exp, Nbf, Iat int64
	}
}

func readAssertion(text string, key ed25519.PublicKey) (*assertion, error) {
	part := strings.Split(text, ".")
	if len(part) != 3 {
		return nil, errors.New("not three parts")
	}
	var raw [3][]byte
	for i := range part {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(part[i]); err != nil {
			return nil, err
		}
	}
	a := &assertion{}
	if err := json.Unmarshal(raw[0], &a.Header); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw[1], &a.Claims); err != nil {
		return nil, err
	}
	if a.Header.Alg != "EdDSA" || !ed25519.Verify(key, []byte(part[0]+"."+part[1]), raw[2]) {
		return nil, errors.New("not signed with the client's key")
	}
	return a, nil
}

func (t *tokenServer) judge(a *assertion) error {
	c, now := &a.Claims, time.Now().Unix()
	switch {
	case c.Iss != t.identity.clientID || c.Sub != t.identity.clientID:
		return errors.New("iss and sub are not the client id")
	case c.Aud != t.identity.host:
		return fmt.Errorf("aud is %q", c.Aud)
	case c.Exp <= now || c.Exp > now+600 || c.Nbf > now || c.Iat > now:
		return errors.New("not now")
	}
	return nil
}

// verdict is the HTTP status and the error, or none, of a request that is no ordered fault.
func (t *tokenServer) verdict(r *http.Request, e *entry) (int, string) {
	if r.Method != http.MethodPost || r.ParseForm() != nil || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_assertion_type") != assertionType {
		return http.StatusBadRequest, "invalid_request"
	}
	a, err := readAssertion(r.PostForm.Get("client_assertion"), t.identity.key.Public().(ed25519.PublicKey))
	if err == nil {
		err = t.judge(a)
	}
	if err == nil && r.PostForm.Get("client_id") != t.identity.clientID {
		err = errors.New("client_id is another one")
	}
	if err != nil {
		e.Violation = err.Error()
		return http.StatusUnauthorized, "invalid_client"
	}
	e.Request = map[string]any{"form": slices.Sorted(maps.Keys(r.PostForm)), "nonce_length": len(a.Header.Nonce),
		"lifetime_s": a.Claims.Exp - a.Claims.Iat, "backdated_s": a.Claims.Iat - a.Claims.Nbf}
	return http.StatusOK, ""
}

func (t *tokenServer) serve(w http.ResponseWriter, r *http.Request, e *entry) {
	t.mu.Lock()
	t.requests++
	nth := t.requests
	t.mu.Unlock()
	code, problem := t.verdict(r, e)
	if code == http.StatusOK && nth <= t.options.tokenFail {
		code, problem = http.StatusServiceUnavailable, "temporarily_unavailable"
	} else if code == http.StatusOK && t.options.tokenStatus != http.StatusOK {
		code, problem = t.options.tokenStatus, "ordered fault"
	}
	answer := map[string]any{"error": problem}
	if code == http.StatusOK {
		answer = t.issue(nth)
	}
	e.Code = strconv.Itoa(code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

func (t *tokenServer) issue(nth int) map[string]any {
	token := fmt.Sprintf("token%d-%s", nth, rand.Text())
	t.mu.Lock()
	t.issued[token] = time.Now().Add(time.Duration(t.options.tokenTTL) * time.Second)
	t.mu.Unlock()
	return map[string]any{"access_token": token, "token_type": t.options.tokenType, "expires_in": t.options.tokenTTL}
}
