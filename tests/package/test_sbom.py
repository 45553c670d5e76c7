"""The SPDX document: the required fields of SPDX 2.3, and that it tells of every library."""

import hashlib
import json
import re

import pytest

from conftest import VERSION

RELATIONS = {"DESCRIBES", "DYNAMIC_LINK", "STATIC_LINK", "DEPENDS_ON"}
LICENCE = r"[A-Za-z0-9.+-]+( (OR|AND|WITH) [A-Za-z0-9.+-]+)*"


@pytest.fixture(scope="session")
def document(dist):
    return json.loads((dist / f"baton-crisp_{VERSION}.spdx.json").read_text())


def test_the_document_has_what_spdx_requires(document):
    assert document["spdxVersion"] == "SPDX-2.3"
    assert document["dataLicense"] == "CC0-1.0"
    assert document["SPDXID"] == "SPDXRef-DOCUMENT"
    assert document["name"]
    assert re.fullmatch(r"[a-z]+:[^#\s]+", document["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Organization|Person): \S", c) for c in document["creationInfo"]["creators"])


def test_every_package_has_what_spdx_requires(document):
    ids = [p["SPDXID"] for p in document["packages"]]
    assert len(set(ids)) == len(ids) > 10
    for p in document["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", p["SPDXID"])
        assert p["name"] and p["versionInfo"] and p["downloadLocation"] == "NOASSERTION"
        assert p["filesAnalyzed"] is False
        assert re.fullmatch(LICENCE, p["licenseDeclared"]), p
        assert p["licenseDeclared"] != "NOASSERTION", f"{p['name']}: add its source to packaging/licences.txt"


def test_relations_name_what_is_there(document):
    ids = {"SPDXRef-DOCUMENT", *(p["SPDXID"] for p in document["packages"])}
    described = set()
    for r in document["relationships"]:
        assert r["relationshipType"] in RELATIONS
        assert {r["spdxElementId"], r["relatedSpdxElement"]} <= ids
        described.add(r["relatedSpdxElement"])
    assert described == ids - {"SPDXRef-DOCUMENT"}


def test_the_packages_checksums_are_right(document, dist):
    own = [p for p in document["packages"] if "packageFileName" in p]
    assert len(own) == 3
    for p in own:
        digest = hashlib.sha256((dist / p["packageFileName"]).read_bytes()).hexdigest()
        assert p["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]


def related(document, file, kind):
    (one,) = [p["SPDXID"] for p in document["packages"] if p.get("packageFileName", "").endswith(file)]
    names = {p["SPDXID"]: p["name"] for p in document["packages"]}
    return {names[r["relatedSpdxElement"]] for r in document["relationships"]
            if r["spdxElementId"] == one and r["relationshipType"] == kind}


def test_it_tells_linked_in_from_linked_and_loaded(document):
    deb = f"baton-crisp_{VERSION}-1_amd64.deb"
    assert {"libsqlite3-0", "libzstd1", "libprotobuf-c1", "libyaml-0-2", "libc6"} <= related(document, deb, "DYNAMIC_LINK")
    assert {"libsqlite3-0", "libzstd1", "libprotobuf-c1", "libyaml-0-2"} <= related(document, ".tar.gz", "STATIC_LINK")
    assert related(document, ".tar.gz", "DYNAMIC_LINK") == {"libc6"}
    assert related(document, deb, "DEPENDS_ON") == related(document, ".tar.gz", "DEPENDS_ON") == {"libcurl4"}
