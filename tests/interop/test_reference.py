"""What the real command line tool prints of our file and of refconnector's differs in the points
listed in docs/compatibility.md, and in nothing else. refconnector was written without ours in view.

Each function below undoes one difference: applied in turn to our output they give refconnector's."""

import pytest

from world import OURS, REFERENCE, REFERENCE_PEBBLE, baton_json, comparable, old_json

COMMANDS = ("resource-types", "resources", "entitlements", "grants", "principals", "stats", "syncs")


def change(value, function):
    """The value with function applied to every object in it, innermost first."""
    if isinstance(value, list):
        return [change(v, function) for v in value]
    if isinstance(value, dict):
        return function({k: change(v, function) for k, v in value.items()})
    return value


def type_of(resource):
    return resource["id"].get("resourceType") if isinstance(resource.get("id"), dict) else None


def no_website_profile(value):
    if type_of(value) == "website":
        value.pop("profile", None)
    return value


def no_mfa_status(value):
    if value.get("@type", "").endswith(".UserTrait"):
        value.pop("mfaStatus", None)
    return value


def empty_texts_in_profile(value):
    """refconnector writes a missing text as an empty one."""
    if type_of(value) == "operator" or value.get("@type", "").endswith(".UserTrait"):
        if "profile" in value:
            keys = ("user_id", "email", "first_name", "last_name", "role", "title")
            value["profile"] = {**dict.fromkeys(keys, ""), **value["profile"]}
    return value


def assignment_entitlements(value):
    if "slug" in value:
        site = value["resource"]["displayName"]
        slug = value["slug"]
        assert value["purpose"] == "PURPOSE_VALUE_PERMISSION"
        assert value["displayName"] == f"{site} Website {slug.title()}"
        value.update(
            purpose="PURPOSE_VALUE_ASSIGNMENT",
            displayName=f"{site} {slug}",
            description=f"Has the {slug} role on {site}",
        )
    return value


DIFFERENCES = (no_website_profile, no_mfa_status, empty_texts_in_profile, assignment_entitlements)


def as_reference(value):
    for difference in DIFFERENCES:
        value = change(value, difference)
    return value


@pytest.fixture(params=[(), ("--operators", "3"), ("--operators", "2345")], ids=["seeded", "three", "many"])
def website(request, start):
    return start(*request.param)


def test_only_the_listed_differences(website, tmp_path):
    ours, theirs = tmp_path / "ours.c1z", tmp_path / "theirs.c1z"
    OURS.must_sync(website, ours)
    REFERENCE.must_sync(website, theirs)
    for command in COMMANDS:
        mine, peers = baton_json(ours, command), baton_json(theirs, command)
        assert comparable(as_reference(mine)) == comparable(peers), command


def ids_only(value):
    """A Pebble file stores of an embedded resource or type only the id."""
    if "slug" in value and "grantableTo" in value:
        value["grantableTo"] = [{"id": t["id"]} for t in value["grantableTo"]]
        value["resource"] = {"id": value["resource"]["id"]}
    if "entitlement" in value and "principal" in value and isinstance(value.get("id"), str):
        value["entitlement"]["resource"] = {"id": value["entitlement"]["resource"]["id"]}
        value["principal"] = {"id": value["principal"]["id"]}
    return value


def test_default_engine_of_the_sdk_adds_only_its_own_differences(website, tmp_path):
    ours, theirs = tmp_path / "ours.c1z", tmp_path / "theirs.c1z"
    OURS.must_sync(website, ours)
    REFERENCE_PEBBLE.must_sync(website, theirs)
    for command in ("resource-types", "resources", "entitlements", "grants", "principals"):
        mine = change(as_reference(baton_json(ours, command)), ids_only)
        assert comparable(mine) == comparable(baton_json(theirs, command)), command


def test_external_contract_is_byte_equal(website, tmp_path):
    """Ids of entitlements and grants are what others store: no difference is allowed in them."""
    ours, theirs = tmp_path / "ours.c1z", tmp_path / "theirs.c1z"
    OURS.must_sync(website, ours)
    REFERENCE.must_sync(website, theirs)
    for command in ("entitlements", "grants"):
        ids = [sorted(row["id"] for row in old_json(path, command)[command]) for path in (ours, theirs)]
        assert ids[0] == ids[1]
        assert ids[0]
