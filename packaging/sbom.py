#!/usr/bin/python3
"""What is inside the packages, told by the programs themselves and by dpkg. On stdout:

    sbom.py notices DYNAMIC STATIC                        licence texts of what STATIC has linked in
    sbom.py spdx VERSION EPOCH DYNAMIC STATIC SANDBOX FILE...  an SPDX 2.3 document about the FILEs

DYNAMIC and STATIC are two builds of baton-crisp: a library that the one needs and the other does not is
linked into the other. FILEs are the packages, in the order: .deb, sandbox's .deb, tarball.
"""

import functools
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse

CURL = "libcurl.so.4"  # what src/net/curl_api.c opens
MAKER = "Organization: baton-crisp maintainers"


def output(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def needed(program):
    """The sonames that the file itself names; the loader belongs to libc6."""
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", str(program))))


@functools.cache
def libraries():
    """soname -> path, as the loader finds them."""
    return dict(re.findall(r"^\t(\S+) \(libc6,x86-64[^)]*\) => (\S+)$", output("ldconfig", "-p"), re.M)[::-1])


@functools.cache
def owner(soname):
    """The Debian package that a library is of: a dict of what dpkg knows."""
    path = libraries()[soname]
    for name in (path, str(pathlib.Path(path).resolve()), path.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", name], text=True, capture_output=True).stdout
        if found:
            break
    else:
        raise SystemExit(f"sbom.py: {path} is of no Debian package")
    package = found.split(": ")[0].split(",")[0]
    fields = ("Package", "Version", "Architecture", "source:Package", "source:Version")
    form = "\\n".join(f"${{{f}}}" for f in fields)
    return dict(zip(fields, output("dpkg-query", "-W", "-f", form, package).split("\n")))


def copyright_file(package):
    return pathlib.Path("/usr/share/doc") / package / "copyright"


def closure(soname):
    """The library and all that it brings along, as {soname}."""
    seen, todo = set(), [soname]
    while todo:
        name = todo.pop()
        if name not in seen and not name.startswith("ld-linux"):
            seen.add(name)
            todo += needed(libraries()[name])
    return seen


def owners(sonames):
    """Package name -> what dpkg knows of it, without doubles, in order."""
    found = {owner(s)["Package"]: owner(s) for s in sonames if not s.startswith("ld-linux")}
    return dict(sorted(found.items()))


def linked_in(dynamic, static):
    return owners(needed(dynamic) - needed(static))


def notices(dynamic, static):
    print("baton-crisp is under the Apache License 2.0, see LICENSE. Linked into these programs:")
    for package, about in linked_in(dynamic, static).items():
        print(f"\n{'=' * 100}\n{about['source:Package']} {about['source:Version']} (Debian)\n{'=' * 100}\n")
        print(copyright_file(package).read_text().rstrip())


def licences():
    rows = pathlib.Path(__file__).with_name("licences.txt").read_text().splitlines()
    return dict(row.split(" ", 1) for row in rows if row and not row.startswith("#"))


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def library_element(about, licence):
    name, version = about["Package"], about["Version"]
    purl = f"pkg:deb/debian/{name}@{urllib.parse.quote(version, safe='')}?arch={about['Architecture']}&distro=debian-12"
    return {
        "SPDXID": spdx_id("lib-" + name),
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "licenseComments": f"Debian's own account: {copyright_file(name)}",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"built from Debian source package {about['source:Package']} {about['source:Version']}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl,
        }],
    }


def own_element(file, version):
    return {
        "SPDXID": spdx_id("package-" + file.name),
        "name": file.name.split("_")[0].split("-v")[0],
        "versionInfo": version,
        "packageFileName": file.name,
        "supplier": MAKER,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(file.read_bytes()).hexdigest()}],
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "2026 baton-crisp maintainers",
        "primaryPackagePurpose": "APPLICATION" if file.name.endswith(".deb") else "ARCHIVE",
    }


def relation(one, kind, other, comment=None):
    row = {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
    return {**row, "comment": comment} if comment else row


def spdx(version, epoch, dynamic, static, sandbox, *files):
    files = [pathlib.Path(f) for f in files]
    own = [own_element(f, version) for f in files]
    deb, sandbox_deb, tarball = (e["SPDXID"] for e in own)
    curl = owner(CURL)["Package"]
    brought = owners(closure(CURL))
    links = [(deb, "DYNAMIC_LINK", owners(needed(dynamic))),
             (sandbox_deb, "DYNAMIC_LINK", owners(needed(sandbox))),
             (tarball, "DYNAMIC_LINK", owners(needed(static))),
             (tarball, "STATIC_LINK", linked_in(dynamic, static)),
             (spdx_id("lib-" + curl), "DYNAMIC_LINK", {p: a for p, a in brought.items() if p != curl})]
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", e["SPDXID"]) for e in own]
    every = dict(brought)
    for one, kind, packages in links:
        every.update(packages)
        relations += [relation(one, kind, spdx_id("lib-" + p)) for p in packages]
    relations += [relation(one, "DEPENDS_ON", spdx_id("lib-" + curl), f"{CURL} is loaded at run time")
                  for one in (deb, tarball)]
    known = licences()
    elements = own + [library_element(a, known.get(a["source:Package"], "NOASSERTION"))
                      for _, a in sorted(every.items())]
    body = json.dumps([elements, relations], sort_keys=True).encode()
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"baton-crisp-{version}",
        "documentNamespace": f"urn:baton-crisp:spdx:{version}:{hashlib.sha256(body).hexdigest()}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(epoch))),
            "creators": [MAKER, "Tool: packaging/sbom.py"],
        },
        "packages": elements,
        "relationships": relations,
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    {"notices": notices, "spdx": spdx}[sys.argv[1]](*sys.argv[2:])
