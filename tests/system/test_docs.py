"""What the documents promise, held against the programs."""

import pathlib
import re
import subprocess

import pytest

import sandbox as sandbox_module
from connector import clean_env, command, sync

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = [p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]]


def test_the_readme_shows_what_the_quickstart_shows(sandbox, tmp_path):
    run = sync(sandbox, tmp_path)
    done = subprocess.run([str(sandbox_module.program("baton-inspect")), "-f", str(run.file), "who"],
                          capture_output=True, text=True, check=True, env=clean_env())
    shown = done.stdout.rsplit("\nAs of ", 1)[0]
    assert shown in (ROOT / "README.md").read_text()


def test_the_readmes_own_steps_work(sandbox, tmp_path):
    """The block "With your own Crisp", as printed, but for the address of Crisp."""
    readme = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"```sh\n(umask 077;.*?)```", readme, re.S)
    token = sandbox.tokens["website"]
    bin_dir = sandbox_module.program("baton-crisp").parent
    (tmp_path / "build").symlink_to(bin_dir)
    script = "set -eu\n" + block.replace("build/baton-inspect who", "build/baton-inspect who >answer")
    subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, check=True, text=True, input=token.key + "\n",
        env=clean_env({"ID": sandbox.website_id, "IDENTIFIER": token.identifier,
                       "BATON_CRISP_BASE_URL": sandbox.base_url}))
    assert "Ada Fictive" in (tmp_path / "answer").read_text()
    assert (tmp_path / "crisp.key").stat().st_mode & 0o077 == 0


def test_every_flag_in_the_readme_exists():
    shown = subprocess.run(command("--help-all"), capture_output=True, text=True, check=True).stdout
    for flag in set(re.findall(r"--(?:crisp|file|client)[a-z-]*", (ROOT / "README.md").read_text())):
        assert re.search(rf"{flag}\b", shown), flag
    for variable in set(re.findall(r"BATON_[A-Z_]+", (ROOT / "README.md").read_text())):
        assert f"${variable}" in shown, variable


@pytest.mark.parametrize("document", DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_committed_metadata_is_what_the_program_prints():
    for file, word in (("baton_capabilities.json", "capabilities"), ("config_schema.json", "config")):
        printed = subprocess.run(command(word), capture_output=True, check=True, env=clean_env()).stdout
        assert (ROOT / file).read_bytes() == printed, f"run: build/baton-crisp {word} > {file}"


SOURCES = "\n".join(p.read_text() for p in [*ROOT.glob("src/**/*.c"), *ROOT.glob("src/**/*.h")])


def test_the_texts_of_the_readmes_troubleshooting_are_the_programs():
    """Each text of the table stands in the sources, or comes from the system."""
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("| Exit | The text has |"):readme.index("Ctrl-C ends with 0")]
    joined = re.sub(r'"\s*\n\s*"', "", SOURCES)  # string literals over several lines
    texts = re.findall(r"`([^`]+)`", "".join(line.split("|")[2] for line in table.splitlines() if line))
    assert len(texts) > 20
    for text in texts:
        assert text in joined or text in ("No space left on device", "required flag(s)"), text


def test_installing_brings_man_pages_and_completion(tmp_path):
    """Of the build directory the tests use."""
    build = sandbox_module.program("baton-crisp").parent
    subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild", "--quiet"],
                   env={**clean_env(), "DESTDIR": str(tmp_path)}, check=True, capture_output=True)
    names = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    assert names == {"baton-crisp", "baton-inspect", "crisp-sandbox", "baton-crisp.1", "baton-inspect.1",
                     "crisp-sandbox.1", "_baton-crisp", "baton-crisp.fish"}
