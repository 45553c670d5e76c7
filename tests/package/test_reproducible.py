"""Two builds in different places, at different times, by different people: the same bytes."""

import subprocess
import tarfile

from conftest import VERSION


def names(directory):
    return sorted(p.name for p in directory.iterdir())


def test_two_builds_give_the_same_bytes(dist, other_dist):
    assert names(dist) == names(other_dist) == sorted([
        f"baton-crisp_{VERSION}-1_amd64.deb", f"crisp-sandbox_{VERSION}-1_amd64.deb",
        f"baton-crisp-v{VERSION}-linux-amd64.tar.gz", f"baton-crisp_{VERSION}.spdx.json",
        f"baton-crisp_{VERSION}_checksums.txt"])
    different = [n for n in names(dist) if (dist / n).read_bytes() != (other_dist / n).read_bytes()]
    assert not different


def test_the_checksums_are_right(dist):
    listed = (dist / f"baton-crisp_{VERSION}_checksums.txt").read_text().split()[1::2]
    assert sorted([*listed, f"baton-crisp_{VERSION}_checksums.txt"]) == names(dist)
    subprocess.run(["sha256sum", "--check", "--strict", f"baton-crisp_{VERSION}_checksums.txt"], cwd=dist, check=True)


def test_nothing_tells_where_it_was_built(builds, unpacked, tarball, work):
    with tarfile.open(tarball) as archive:
        archive.extractall(work / "tar")
    place = str(work).encode()
    for directory in (unpacked, work / "tar"):
        for file in directory.rglob("*"):
            if file.is_file():
                assert place not in file.read_bytes(), file
