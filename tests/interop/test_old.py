"""Readers of the v0.7 era, which know nothing of Pebble and an older schema, read our file too, and
what they append to it is a file that we and the real command line tool go on with."""

import pytest

from world import OURS, baton_json, comparable, inspect, old_json, resource_ids, syncs

# Members of a resource that came after v0.7 (c1z.md 3.1); the same facts stand in the trait.
NEW_MEMBERS = {"profile", "icon", "status", "createdAt"}


def as_old(value):
    """What v0.7 sees of a JSON answer of v0.25."""
    if isinstance(value, list):
        return [as_old(v) for v in value]
    if not isinstance(value, dict):
        return value
    is_resource = isinstance(value.get("id"), dict)
    return {k: as_old(v) for k, v in value.items() if not (is_resource and k in NEW_MEMBERS)}


@pytest.fixture(params=[(), ("--operators", "12000")], ids=["seeded", "twelve-thousand"])
def file(request, start, tmp_path):
    # The old library pages at ten thousand rows.
    path = tmp_path / "ours.c1z"
    OURS.must_sync(start(*request.param), path)
    return path


def test_rows_are_equal_but_for_later_members(file):
    assert old_json(file, "resource-types") == {
        "resourceTypes": [r["resourceType"] for r in baton_json(file, "resource-types")["resourceTypes"]]
    }
    new = baton_json(file, "resources")["resources"]
    assert old_json(file, "resources")["resources"] == [as_old(r["resource"]) for r in new]
    new = baton_json(file, "entitlements")["entitlements"]
    assert old_json(file, "entitlements")["entitlements"] == [as_old(e["entitlement"]) for e in new]
    new = baton_json(file, "grants")["grants"]
    assert old_json(file, "grants")["grants"] == [as_old(g["grant"]) for g in new]


def test_syncs_and_counts_are_equal(file):
    assert old_json(file, "syncs")["syncs"] == syncs(file)
    stats = baton_json(file, "stats")["stats"]
    old = old_json(file, "stats")
    assert old["resource_types"] == int(stats["resourceTypes"])
    assert old["operator"] == int(stats["resourcesByResourceType"]["operator"])
    assert old["website"] == 1
    assert old["grants"] == int(stats["grants"])
    assert old["entitlements"] == int(stats["entitlements"])


def test_old_library_appends_and_ours_goes_on(sandbox, ours):
    grants = as_old(comparable(baton_json(ours, "grants")))
    appended = old_json(ours, "append")["syncId"]
    assert [s["id"] for s in syncs(ours)][1:] == [appended]
    assert as_old(comparable(baton_json(ours, "grants"))) == grants
    assert inspect(ours, "grants").code == 0
    OURS.must_sync(sandbox, ours)
    assert [s["id"] for s in syncs(ours)][:1] == [appended]
    assert len(syncs(ours)) == 2
    assert as_old(comparable(baton_json(ours, "grants"))) == grants
    assert "profile" in str(baton_json(ours, "grants"))
    assert resource_ids(ours)
