package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"time"
)

// identity is whom the connector meets, and who the connector is: both are made anew for each run.
type identity struct {
	certificate tls.Certificate
	key         ed25519.PrivateKey // of the connector
	clientID    string
	host        string // in the client id
}

func selfSigned() (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "mockc1"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), nil
}

func newIdentity(dir, address string) (*identity, error) {
	cert, key, err := selfSigned()
	if err != nil {
		return nil, err
	}
	i := &identity{host: "tenant.example", clientID: "gentle-yak-1@tenant.example/pcc"}
	if i.certificate, err = tls.X509KeyPair(cert, key); err != nil {
		return nil, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	i.key = private
	text := base64.RawURLEncoding.EncodeToString
	jwk := fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":"%s","d":"%s"}`, text(public), text(private.Seed()))
	certFile, err := filepath.Abs(filepath.Join(dir, "cert.pem"))
	if err != nil {
		return nil, err
	}
	if err := leave(certFile, string(cert)); err != nil {
		return nil, err
	}
	return i, leave(filepath.Join(dir, "creds.env"), fmt.Sprintf(
		"BATON_CLIENT_ID=%s\nBATON_CLIENT_SECRET=secret-token:conductorone.com:v1:%s\nBATON_C1_API_HOST=%s\nSSL_CERT_FILE=%s\n",
		i.clientID, text([]byte(jwk)), address, certFile))
}
