"""Who is who between a connector and C1: certificates of the server, the client's id and secret, and the check of
the assertion with which a token is asked for. Everything is made anew for each test session."""

import base64
import datetime
import functools
import ipaddress
import json
import pathlib
import re
import secrets
import tempfile
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
NAMES = ["localhost", "c1.test"]
ADDRESSES = ["127.0.0.1", "::1"]
TOKEN_FORM = {"client_assertion", "client_assertion_type", "client_id", "grant_type"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


# ---- certificates ----

def _pem(cert_or_key):
    if hasattr(cert_or_key, "public_bytes") and not hasattr(cert_or_key, "private_bytes"):
        return cert_or_key.public_bytes(serialization.Encoding.PEM)
    return cert_or_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption())


def _certificate(name, key, issuer, issuer_key, is_ca, since, until, alternatives=()):
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A CA. pem is what a client must trust."""

    def __init__(self, name):
        now = datetime.datetime.utcnow()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.pem = _pem(_certificate(self.name, self.key, self.name, self.key, True, now - DAY, now + 30 * DAY))

    def server(self, since=-1, until=30, names=NAMES, addresses=ADDRESSES):
        """(key, certificate) as PEM, valid from so many days from now until so many."""
        now = datetime.datetime.utcnow()
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [x509.DNSName(n) for n in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
        cert = _certificate(_name("c1 of the tests"), key, self.name, self.key, False,
                            now + since * DAY, now + until * DAY, alternatives)
        return _pem(key), _pem(cert)


class Identities:
    """The certificates that a stand-in can show, as (key, certificate), and the trusted CA as a file."""

    def __init__(self):
        trusted, stranger = Authority("trusted CA of the tests"), Authority("another CA")
        self.ca_pem, self.stranger_pem = trusted.pem, stranger.pem
        self.pairs = {
            "good": trusted.server(),
            "untrusted": stranger.server(),
            "expired": trusted.server(since=-3, until=-1),
            "wrong name": trusted.server(names=["elsewhere.test"], addresses=[]),
        }
        self._directory = tempfile.TemporaryDirectory(prefix="c1-identity-")
        self.ca_file = pathlib.Path(self._directory.name) / "ca.pem"
        self.ca_file.write_bytes(self.ca_pem)

    def files(self, which):
        """The pair as two files, for Python's ssl."""
        names = [pathlib.Path(self._directory.name) / f"{which}.{part}.pem" for part in ("key", "cert")]
        for name, pem in zip(names, self.pairs[which]):
            name.write_bytes(pem)
        return names


@functools.lru_cache(maxsize=None)
def identities():
    return Identities()


# ---- credentials ----

def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError(f"not unpadded base64url: {text[:80]!r}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Credentials:
    """A client id with its secret, and the public half that C1 keeps."""

    def __init__(self, client_id="mock-client-00001@127.0.0.1/ccc"):
        key = ed25519.Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw
        public = key.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
        seed = key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        self.client_id = client_id
        self.public_key = key.public_key()
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64url(public), "d": b64url(seed)}
        self.seed = jwk["d"]
        self.secret = "secret-token:conductorone.com:v1:" + b64url(json.dumps(jwk, separators=(",", ":")).encode())

    @property
    def audience(self):
        """The host of the client id without its port."""
        host = self.client_id.split("@", 1)[1].split("/", 1)[0]
        if host.startswith("["):
            return host[1:host.index("]")]
        return host.rsplit(":", 1)[0]


class TokenRefused(Exception):
    """What is wrong with a token request."""


def require(condition, what):
    if not condition:
        raise TokenRefused(what)


def check_token_request(credentials, headers, form, seen_nonces):
    """Judges a token request: headers with lower-case names, form as a list of pairs. Returns the claims."""
    require("dpop" not in headers, "a DPoP header")
    require(headers.get("content-type") == "application/x-www-form-urlencoded", "the content type")
    require(re.fullmatch(r"baton-c1-credential-provider baton-sdk/v\S+( .*)?", headers.get("user-agent", "")),
          f"the user agent {headers.get('user-agent')!r}")
    names = [name for name, _ in form]
    require(names == sorted(TOKEN_FORM), f"the form has {names}")
    form = dict(form)
    require(form["grant_type"] == "client_credentials", "grant_type")
    require(form["client_assertion_type"] == ASSERTION_TYPE, "client_assertion_type")
    require(form["client_id"] == credentials.client_id, "client_id")

    head, body, signature = form["client_assertion"].split(".")
    try:
        credentials.public_key.verify(unb64url(signature), f"{head}.{body}".encode())
    except InvalidSignature:
        raise TokenRefused("the signature of the assertion") from None
    header, claims = json.loads(unb64url(head)), json.loads(unb64url(body))
    require(set(header) == {"alg", "nonce"} and header["alg"] == "EdDSA", f"the header {header}")
    require(re.fullmatch(r"[0-9a-f]{32}", header["nonce"]) and header["nonce"] not in seen_nonces, "the nonce")
    seen_nonces.add(header["nonce"])
    require(set(claims) == {"iss", "sub", "aud", "exp", "nbf", "iat"}, f"the claims {sorted(claims)}")
    require(claims["iss"] == claims["sub"] == credentials.client_id, "iss and sub")
    require(claims["aud"] == credentials.audience, f"aud {claims['aud']!r}")
    require(all(isinstance(claims[c], int) for c in ("exp", "nbf", "iat")), "times that are no integers")
    require(claims["exp"] - claims["iat"] == 120 and claims["iat"] - claims["nbf"] == 120, "exp or nbf")
    require(abs(claims["iat"] - time.time()) < 30, "iat is not now")
    return claims


def new_token():
    return "c1-token-" + secrets.token_urlsafe(24)
