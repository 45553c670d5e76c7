"""The manifests, as far as they can be checked without a cluster."""

import re
import subprocess

import pytest
import yaml

from conftest import ROOT, VERSION

FILES = sorted((ROOT / "packaging" / "kubernetes").glob("*.yaml"))
OBJECTS = [o for f in FILES for o in yaml.safe_load_all(f.read_text())]
KINDS = {"Secret": "v1", "Deployment": "apps/v1", "CronJob": "batch/v1", "PersistentVolumeClaim": "v1"}
# Fields of a container and of a pod, as the API has them (v1.30); one that is not here is a slip.
CONTAINER = {"name", "image", "args", "command", "env", "envFrom", "ports", "livenessProbe", "readinessProbe", "resources",
             "securityContext", "volumeMounts", "imagePullPolicy"}
POD = {"automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds", "securityContext", "containers",
       "volumes", "restartPolicy"}


def one(kind):
    (found,) = [o for o in OBJECTS if o["kind"] == kind]
    return found


def pods():
    return {"Deployment": one("Deployment")["spec"]["template"],
            "CronJob": one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]}


def secrets():
    return {o["metadata"]["name"]: o["stringData"] for o in OBJECTS if o["kind"] == "Secret"}


def test_every_object_is_of_a_known_kind():
    assert {o["kind"] for o in OBJECTS} == set(KINDS)
    for o in OBJECTS:
        assert o["apiVersion"] == KINDS[o["kind"]]
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", o["metadata"]["name"])


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_the_pod_is_locked_down(kind):
    spec = pods()[kind]["spec"]
    (container,) = spec["containers"]
    assert set(spec) <= POD and set(container) <= CONTAINER
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 65532
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["limits"]["memory"] == "64Mi"
    assert container["image"].endswith(f"/baton-crisp:{VERSION}")
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    volumes = {v["name"]: v for v in spec["volumes"]}
    assert set(mounts) == set(volumes) and mounts["tmp"] == "/tmp"
    assert "sizeLimit" in volumes["tmp"]["emptyDir"]


def environment(kind):
    """Variable -> value or where it comes from, as the container gets it."""
    (container,) = pods()[kind]["spec"]["containers"]
    found = {}
    for source in container["envFrom"]:
        found.update(secrets()[source["secretRef"]["name"]])
    for e in container.get("env", []):
        assert ("value" in e) != ("valueFrom" in e)
        assert isinstance(e.get("value", ""), str), "a value of the environment is a string"
        found[e["name"]] = e.get("value", e.get("valueFrom"))
    return found


def test_every_variable_is_one_that_the_program_knows(unpacked):
    shown = subprocess.run([str(unpacked / "usr/bin/baton-crisp"), "--help-all"], text=True, check=True,
                           stdout=subprocess.PIPE).stdout
    known = set(re.findall(r"\$(BATON_[A-Z0-9_]+)", shown))
    # Those without a flag, and hidden ones, stand in the settings and the sources.
    known |= set(re.findall(r"BATON_[A-Z0-9_]+", (ROOT / "docs/settings.md").read_text()))
    for source in (ROOT / "src").rglob("*.c"):
        known |= set(re.findall(r'"(BATON_[A-Z0-9_]+)"', source.read_text()))
    for kind in pods():
        assert set(environment(kind)) <= known


def test_what_is_required_is_given():
    crisp = {"BATON_CRISP_WEBSITE_ID", "BATON_CRISP_API_IDENTIFIER", "BATON_CRISP_API_KEY"}
    assert crisp | {"BATON_CLIENT_ID", "BATON_CLIENT_SECRET", "BATON_HOST_ID"} <= set(environment("Deployment"))
    assert crisp | {"BATON_FILE"} <= set(environment("CronJob"))
    assert "BATON_CLIENT_ID" not in environment("CronJob"), "a one-shot has no client id"


def test_the_probes_reach_the_health_server():
    pod = pods()["Deployment"]
    (container,) = pod["spec"]["containers"]
    assert environment("Deployment")["BATON_HEALTH_CHECK"] == "true"
    assert environment("Deployment")["BATON_HEALTH_CHECK_BIND_ADDRESS"] == "0.0.0.0"
    assert container["ports"] == [{"name": "health", "containerPort": 8081}]
    paths = {p: container[p]["httpGet"] for p in ("livenessProbe", "readinessProbe")}
    assert paths == {"livenessProbe": {"path": "/live", "port": "health"},
                     "readinessProbe": {"path": "/ready", "port": "health"}}


def test_the_names_fit_together():
    deployment = one("Deployment")
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pods()["Deployment"]["metadata"]["labels"].items()
    assert environment("Deployment")["BATON_HOST_ID"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    # A pod of the CronJob must not count as one of the Deployment's.
    assert not deployment["spec"]["selector"]["matchLabels"].items() <= pods()["CronJob"]["metadata"]["labels"].items()
    (claim,) = [v["persistentVolumeClaim"]["claimName"] for v in pods()["CronJob"]["spec"]["volumes"]
                if "persistentVolumeClaim" in v]
    assert claim == one("PersistentVolumeClaim")["metadata"]["name"]
    assert re.fullmatch(r"[0-9]+ [0-9]+ \* \* \*", one("CronJob")["spec"]["schedule"])
    assert pods()["CronJob"]["spec"]["restartPolicy"] in ("Never", "OnFailure")
