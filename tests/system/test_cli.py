"""The command line of baton-crisp as scripts see it: commands, texts, exit codes, log formats.

The numbers in the test names' comments are those of the conformance checklist that connectors on the
SDK keep. What needs neither network nor a real process is tested in tests/unit/baton.
"""

import json
import os
import pathlib
import pty
import re
import shutil
import socket
import subprocess
import threading

import pytest

from connector import PATIENCE_S, Run, clean_env, command, runs, start, sync

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()
REQUIRED = 'required flag(s) "crisp-api-identifier", "crisp-api-key", "crisp-website-id" not set'
COMPLETE = {
    "BATON_CRISP_WEBSITE_ID": "11111111-2222-4333-8444-555555555555",
    "BATON_CRISP_API_IDENTIFIER": "identifier",
    "BATON_CRISP_API_KEY": "a-key-that-nobody-has",
    # nobody listens here
    "BATON_CRISP_BASE_URL": "http://127.0.0.1:9/v1",
}


def cli(directory, *args, env=None):
    """Runs the program in the directory, with no setting but the given ones."""
    done = subprocess.run(
        command(*args),
        cwd=directory,
        env=clean_env(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        text=True,
    )
    return Run(done.returncode, done.stdout, done.stderr, None)


def refused(run, code=2):
    """The text of a run that must end before it does anything."""
    assert (run.code, run.stdout) == (code, ""), run.stderr
    return run.stderr


def on_terminal(directory, *args, env=None):
    """What the program writes where stdout (and only that) is a terminal."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        command(*args), cwd=directory, env=clean_env(env), stdout=side, stderr=subprocess.PIPE, text=True)
    os.close(side)
    text = b""
    while True:
        try:
            chunk = os.read(main, 4096)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        text += chunk
    stderr = process.stderr.read()
    process.stderr.close()
    code = process.wait(PATIENCE_S)
    os.close(main)
    return code, text.decode(), stderr


# ---- version, help, commands ----


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version_is_a_flag(tmp_path, flag):  # 1
    run = cli(tmp_path, flag)
    assert (run.code, run.stdout, run.stderr) == (0, f"baton-crisp version {VERSION}\n", "")


@pytest.mark.parametrize("word", ["version", "foo", "lambda", "_connector-service", "__complete"])
def test_other_words_are_unknown_commands(tmp_path, word):  # 1
    assert refused(cli(tmp_path, word)) == f'unknown command "{word}" for "baton-crisp"\n'


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_commands_and_settings(tmp_path, flag):  # 2
    run = cli(tmp_path, flag)
    assert (run.code, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[:5] == ["baton-crisp", "", "Usage:", "  baton-crisp [flags]", "  baton-crisp [command]"]
    at = lines.index("Available Commands:") + 1
    assert [line.split()[0] for line in lines[at : at + 5]] == [
        "capabilities", "completion", "config", "health-check", "help"]
    assert "Flags:" in lines
    assert len(lines) <= 34, "more than a screen"
    flags = [line for line in lines if re.match(r" {6}--crisp", line)]
    assert len(flags) == 6
    for line in flags:
        name = re.search(r"--([a-z-]+)", line).group(1)
        variable = "BATON_" + name.upper().replace("-", "_")
        assert re.search(rf"\(\${variable}\)( \(default .*\))?$", line), line
    assert sum("required: " in line for line in flags) == 3
    for hidden in ("base-url", "c1z-temp-dir", "grant-entitlement", "crisp-identifier", "task-concurrency"):
        assert hidden not in run.stdout


def test_help_all_agrees_with_the_manual_page(tmp_path):
    page = (ROOT / "man" / "baton-crisp.1").read_text().replace("\\-", "-")
    run = cli(tmp_path, "--help-all")
    flags = re.findall(r"^ {2}(?:-[a-z], |    )--([a-z0-9-]+)", run.stdout, re.MULTILINE)
    assert len(flags) > 30
    for flag in flags + ["endpoint", "timeout", "no-descriptions"]:
        assert re.search(rf"Fl -{flag}\b(?!-)", page), f"--{flag} is not in the manual page"


def test_manual_page_is_well_formed():
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed")
    page = str(ROOT / "man" / "baton-crisp.1")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("word", ["capabilities", "completion", "config", "health-check", "help"])
def test_each_command_has_help(tmp_path, word):
    run = cli(tmp_path, word, "--help")
    assert run.code == 0 and "Usage:\n" in run.stdout and "Global Flags:\n" in run.stdout
    assert cli(tmp_path, "help", word).stdout == run.stdout


def test_headings_are_bold_on_a_terminal_unless_no_color(tmp_path):
    assert "\033[1mUsage:\033[0m" in on_terminal(tmp_path, "--help")[1]
    assert "\033" not in on_terminal(tmp_path, "--help", env={"NO_COLOR": "1"})[1]


# ---- settings: presence, precedence, config file ----


def test_without_settings_only_the_required_ones_are_named(tmp_path):  # 3
    assert refused(cli(tmp_path)) == REQUIRED + "\n"


def test_flag_variable_and_file_in_this_order(tmp_path):  # 4
    config = tmp_path / ".baton.yaml"
    config.write_text("crisp-api-tier: from-file\n")
    config.chmod(0o600)
    text = "errors found:\nfield crisp-api-tier: value must be one of [plugin website user] but got '%s'\n"
    assert refused(cli(tmp_path, env=COMPLETE)) == text % "from-file"
    env = {**COMPLETE, "BATON_CRISP_API_TIER": "from-variable"}
    assert refused(cli(tmp_path, env=env)) == text % "from-variable"
    assert refused(cli(tmp_path, "--crisp-api-tier", "from-flag", env=env)) == text % "from-flag"
    env["BATON_CRISP_API_TIER"] = ""
    assert refused(cli(tmp_path, env=env)) == text % "from-file"


def test_all_settings_from_the_file(sandbox, tmp_path):  # 4
    e = sandbox.env()
    names = {"BATON_" + n.upper().replace("-", "_"): n for n in (
        "crisp-website-id", "crisp-api-identifier", "crisp-api-key", "crisp-api-tier", "crisp-base-url")}
    config = tmp_path / ".baton.yaml"
    config.write_text("".join(f"{names[k]}: {v}\n" for k, v in e.items()) + "file: here.c1z\n")
    config.chmod(0o600)
    run = cli(tmp_path)
    assert run.code == 0, run.stderr
    assert (tmp_path / "here.c1z").exists()


def test_config_path_must_be_yaml(tmp_path):  # 5
    for args in ((), ("--help",), ("config",)):
        run = cli(tmp_path, *args, env={"BATON_CONFIG_PATH": "x.json"})
        assert refused(run) == "expected config file to have .yaml or .yml extension\n"


@pytest.mark.parametrize("text", [None, "crisp-website-id: w\n  crisp-api-key: k\n", "- list\n"])
def test_a_missing_or_malformed_file_is_no_error_by_itself(tmp_path, text):  # 5
    config = tmp_path / "c.yaml"
    if text is not None:
        config.write_text(text)
    run = cli(tmp_path, env={"BATON_CONFIG_PATH": str(config)})
    assert run.code == 2 and run.last_line == REQUIRED
    assert str(config) in run.log("settings")["warning"]


def test_lists(sandbox, tmp_path):  # 6
    config = tmp_path / ".baton.yaml"
    config.write_text('log-path: [file.log, "with,comma.log"]\n')
    assert sync(sandbox, tmp_path, "--log-path", "a.log", "--log-path", "b.log,c.log").code == 0
    logs = {"file.log", "with,comma.log", "a.log", "b.log", "c.log"}
    assert {p.name for p in tmp_path.glob("*.log")} == logs
    for p in tmp_path.glob("*.log"):
        p.unlink()
    run = sync(sandbox, tmp_path, "--log-path", "flag.log", env={"BATON_LOG_PATH": "x.log,y z.log"})
    assert run.code == 0 and run.stderr == ""
    assert {p.name for p in tmp_path.glob("*.log")} == {"x.log", "y z.log", "flag.log"}


# ---- settings: values ----


def test_a_value_that_is_none_of_the_choice(tmp_path):  # 7
    assert refused(cli(tmp_path, "--crisp-api-tier", "bogus", env=COMPLETE)) == (
        "errors found:\nfield crisp-api-tier: value must be one of [plugin website user] but got 'bogus'\n")


def test_an_empty_required_value(tmp_path):  # 8
    run = cli(tmp_path, "--crisp-website-id", "", "--crisp-api-key", "", env=COMPLETE)
    assert refused(run) == "".join([
        "errors found:\n",
        "field crisp-website-id of type string is marked as required but it has a zero-value\n",
        "field crisp-api-key of type string is marked as required but it has a zero-value\n"])


def test_client_id_needs_its_secret(tmp_path):  # 9
    text = ("if any flags in the group [client-id client-secret] are set they must all be set; "
            "missing [client-secret]\n")
    assert refused(cli(tmp_path, "--client-id", "x", env=COMPLETE)) == text
    assert refused(cli(tmp_path, env={**COMPLETE, "BATON_CLIENT_ID": "x"})) == text


@pytest.mark.parametrize("args, text", [  # 10
    (["--http-timeout-seconds", "0"],
     "field http-timeout-seconds: value must be greater than or equal to 1 but got 0"),
    (["--http-timeout-seconds", "1801"],
     "field http-timeout-seconds: value must be less than or equal to 1800 but got 1801"),
    (["--storage-engine", "foo"],
     "field storage-engine: value must be one of [ sqlite pebble] but got 'foo'"),
    (["--task-concurrency", "101"],
     "field task-concurrency: value must be less than or equal to 100 but got 101"),
    (["--task-concurrency", "0"],
     "field task-concurrency: value must be greater than or equal to 1 but got 0"),
    (["--workers", "abc"],
     'invalid argument "abc" for "--workers" flag: strconv.ParseInt: parsing "abc": invalid syntax'),
    (["--nope"], "unknown flag: --nope"),
    (["--crisp-sync-last-active", "false"], 'unknown command "false" for "baton-crisp"'),
])
def test_values_out_of_range(tmp_path, args, text):
    assert refused(cli(tmp_path, *args, env=COMPLETE)) == text + "\n"


# ---- a sync, seen from outside ----


def test_a_sync_without_file_writes_sync_c1z_and_nothing_on_stdout(sandbox, tmp_path):  # 11
    run = cli(tmp_path, env=sandbox.env())
    assert (run.code, run.stdout) == (0, ""), run.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["sync.c1z"]
    assert (tmp_path / "sync.c1z").read_bytes()[:5] == b"C1ZF\0"


def test_logs_are_json_unless_asked(sandbox, tmp_path):  # 12
    for line in sync(sandbox, tmp_path).stderr.splitlines():
        fields = json.loads(line)
        assert list(fields)[:4] == ["level", "ts", "caller", "msg"]
        assert isinstance(fields["ts"], float) and re.fullmatch(r"\S+\.[ch]:\d+", fields["caller"])
    for line in sync(sandbox, tmp_path, "--log-format", "console").stderr.splitlines():
        stamp, level, caller, msg, *rest = line.split("\t")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp) and level == "INFO"
        assert len(rest) <= 1 and (not rest or json.loads(rest[0]))
    other = sync(sandbox, tmp_path, "--log-format", "xml")
    assert other.code == 0 and other.logs()


def test_logs_are_for_people_where_stdout_is_a_terminal(sandbox, tmp_path):  # 12
    code, stdout, stderr = on_terminal(tmp_path, env=sandbox.env())
    assert (code, stdout) == (0, "")
    assert "\tINFO\t" in stderr and not stderr.startswith("{")


def test_log_level(sandbox, tmp_path):
    assert sync(sandbox, tmp_path, "--log-level", "error").stderr == ""
    assert len(sync(sandbox, tmp_path, "--log-level", "nonsense").logs()) >= 10  # info


def test_a_log_file_that_cannot_be_opened(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, "--log-path", "nope/x.log")
    assert run.code == 2 and "nope/x.log" in run.last_line
    assert sandbox.requests() == []


@pytest.mark.parametrize("file", ["", "s3://bucket/x.c1z", "nope/x.c1z"])
def test_a_file_that_cannot_be_written_is_refused_at_once(sandbox, tmp_path, file):  # 18
    run = cli(tmp_path, "-f", file, env=sandbox.env())
    assert run.code == 2 and run.stdout == ""
    assert sandbox.requests() == []
    if not file:
        assert run.last_line.startswith("c1zPath must be set when in on-demand mode")
    else:
        assert file in run.last_line


def test_user_agent(sandbox, tmp_path):  # 26
    sync(sandbox, tmp_path)
    for request in sandbox.requests():
        headers = {k.lower(): v for k, v in dict(request["headers"]).items()}
        assert headers["user-agent"].startswith(f"baton-crisp/{VERSION}")


@pytest.mark.parametrize("engine", ["", "sqlite"])
def test_an_existing_file_stays_what_it_is(sandbox, tmp_path, engine):  # 28
    assert sync(sandbox, tmp_path).code == 0
    run = sync(sandbox, tmp_path, "--storage-engine", engine)
    assert run.code == 0 and run.file.read_bytes()[:5] == b"C1ZF\0" and len(runs(run.file)) == 2


def test_pebble_is_never_ignored(sandbox, tmp_path):  # 28
    assert sync(sandbox, tmp_path).code == 0
    before = (tmp_path / "sync.c1z").read_bytes()
    sandbox.clear_requests()
    run = sync(sandbox, tmp_path, "--storage-engine", "pebble")
    assert run.code != 0 and "pebble" in run.last_line.lower()
    assert run.file.read_bytes() == before and sandbox.requests() == []


@pytest.mark.parametrize("args", [  # 29
    ["--event-feed-start-at", "2026-01-01T00:00:00Z"],
    ["--event-feed", "x"],
    ["--workers", "-1"],
    ["--workers", "4"],
    ["--parallel-sync"],
    ["--otel-collector-endpoint", "http://127.0.0.1:9"],
    ["--otel-tracing-disabled", "--otel-collector-endpoint-tls-insecure"],
    ["-p", "--ticketing"],
    ["--auth-method", "foo"],
    ["--session-store-maximum-size", "1"],
    ["--keep-previous-sync-c1z"],
    ["--log-level-debug-expires-at", "2026-01-01T00:00:00Z"],
    ["--list-resource-actions", "website", "--invoke-resource-action", "x"],
    ["--health-check-port", "9000"],
    ["--skip-full-sync"],
], ids=lambda args: args[0])
def test_flags_of_other_connectors_do_not_fail_a_sync(sandbox, tmp_path, args):
    run = sync(sandbox, tmp_path, *args)
    assert run.code == 0, run.stderr
    assert runs(run.file)[0]["sync_type"] == "full"


def test_a_resource_type_that_does_not_exist(sandbox, tmp_path):  # 30
    run = sync(sandbox, tmp_path, "--sync-resource-types", "nope")
    assert run.code == 2 and "invalid resource type 'nope' in filter" in run.last_line


def test_warnings_about_settings_are_logged(sandbox, tmp_path):
    (tmp_path / ".baton.yaml").write_text("crisp_api_tier: user\n")
    run = sync(sandbox, tmp_path, env={"BATON_SKIP_FULL_SYNC": "yes"})
    assert run.code == 0
    warnings = " ".join(json.dumps(line) for line in run.logs() if line["level"] == "warn")
    assert "did you mean crisp-api-tier" in warnings and "BATON_SKIP_FULL_SYNC" in warnings


# ---- what this connector does not have ----


@pytest.mark.parametrize("args, code, text", [  # 24
    (["--grant-entitlement", "website:w:owner", "--grant-principal", "p"], 12,
     "Unimplemented desc = resource type website does not have provisioner configured"),
    (["--revoke-grant", "website:w:owner:operator:u"], 12,
     "Unimplemented desc = resource type website does not have provisioner configured"),
    (["--create-account-login", "foo"], 12,
     "Unimplemented desc = connector does not have account manager configured"),
    (["--delete-resource", "u", "--delete-resource-type", "operator"], 12,
     "Unimplemented desc = resource type operator does not have resource Delete() configured"),
    (["--rotate-credentials", "u", "--rotate-credentials-type", "operator"], 12,
     "Unimplemented desc = resource type does not have credential manager configured"),
    (["--list-ticket-schemas"], 12, "Unimplemented desc = ticket manager not implemented"),
    (["--get-ticket", "--ticket-id", "x"], 12, "Unimplemented desc = ticket manager not implemented"),
    (["--invoke-action", "foo"], 5,
     "NotFound desc = error: invoking action failed: rpc error: code = NotFound desc = handler for "
     "action foo not found"),
    (["--event-feed", "true"], 5, "NotFound desc = error: event feed id baton_feed_event not found"),
], ids=lambda value: value[0] if isinstance(value, list) else None)
def test_one_shots_that_are_not_there(tmp_path, args, code, text):
    run = cli(tmp_path, *args, env=COMPLETE)
    assert run.code == code and run.stdout == ""
    assert run.last_line == "runner: error processing task: rpc error: code = " + text


def test_list_action_schemas_finds_none(sandbox, tmp_path):
    run = sync(sandbox, tmp_path, "--list-action-schemas")
    assert (run.code, run.stdout) == (0, "") and run.log("Action Schemas")["count"] == 0
    assert sandbox.requests() == [] and not run.file.exists()


@pytest.mark.parametrize("args", [
    ["--sync-resources", "bid:r:website/w1"],
    ["--external-resource-c1z", "x.c1z"],
    ["--external-resource-traits", "user"],
    ["--diff-syncs", "--base-sync-id", "a", "--applied-sync-id", "b"],
    ["--compact-syncs", "--compact-sync-ids", "a", "--compact-file-paths", "b", "--compact-output-path",
     "c"],
], ids=lambda args: args[0])
def test_what_is_refused_says_what_to_do_instead(tmp_path, args):
    text = refused(cli(tmp_path, *args, env=COMPLETE))
    assert text.startswith(args[0] + " is not supported: ") and len(text) > len(args[0]) + 40


# ---- commands that print ----


def test_capabilities(tmp_path):  # 20
    run = cli(tmp_path, "capabilities")
    assert (run.code, run.stderr) == (0, "")
    assert not run.stdout.endswith("\n")
    value = json.loads(run.stdout)
    assert run.stdout == json.dumps(value, indent=2)
    assert list(value) == ["@type", "resourceTypeCapabilities", "connectorCapabilities", "credentialDetails"]
    assert [t["resourceType"]["id"] for t in value["resourceTypeCapabilities"]] == ["operator", "website"]


OPS = ["log-level", "log-level-debug-expires-at", "session-store-maximum-size", "otel-collector-endpoint",
       "otel-collector-endpoint-tls-cert-path", "otel-collector-endpoint-tls-cert",
       "otel-collector-endpoint-tls-insecure", "otel-tracing-disabled", "otel-logging-disabled",
       "health-check", "health-check-port", "health-check-bind-address", "http-timeout-seconds"]


def test_config(tmp_path):  # 21
    run = cli(tmp_path, "config")
    assert (run.code, run.stderr) == (0, "")
    value = json.loads(run.stdout)
    assert list(value) == ["fields", "displayName", "helpUrl", "iconUrl"]
    assert [value[k] for k in ("displayName", "helpUrl", "iconUrl")] == [
        "Crisp", "/docs/baton/crisp", "/static/app-icons/crisp.svg"]
    names = [f["name"] for f in value["fields"]]
    assert names[:13] == OPS
    assert names[13:] == ["crisp-website-id", "crisp-api-identifier", "crisp-api-key", "crisp-api-tier",
                          "crisp-sync-last-active"]
    fields = dict(zip(names, value["fields"]))
    assert all(f.get("isOps") for f in value["fields"][:13])
    assert fields["http-timeout-seconds"]["intField"] == {
        "defaultValue": "300", "rules": {"lte": "1800", "gte": "1"}}
    assert fields["session-store-maximum-size"]["intField"] == {"defaultValue": "15728640"}
    assert fields["crisp-api-key"]["isSecret"] is True and fields["crisp-api-key"]["isRequired"] is True
    assert fields["crisp-api-tier"]["stringField"] == {
        "defaultValue": "plugin", "rules": {"in": ["plugin", "website", "user"]}}
    escaped = json.dumps(value, indent=2, ensure_ascii=False)
    for c in "<>&":
        escaped = escaped.replace(c, f"\\u{ord(c):04x}")
    assert run.stdout == escaped


@pytest.mark.parametrize("word", ["--help", "--version", "config", "capabilities"])
def test_output_that_cannot_be_written_is_an_error(tmp_path, word):
    with open("/dev/full", "w") as full:
        done = subprocess.run(command(word), cwd=tmp_path, env=clean_env(), stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (2, "cannot write to standard output\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_a_script(tmp_path, shell):
    run = cli(tmp_path, "completion", shell)
    assert (run.code, run.stderr) == (0, "") and "crisp-api-tier" in run.stdout
    assert "crisp-base-url" not in run.stdout
    if shell == "powershell" or not shutil.which(shell):
        return
    script = tmp_path / "script"
    script.write_text(run.stdout)
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_in_a_real_bash(tmp_path):
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")
    (tmp_path / "script").write_text(cli(tmp_path, "completion", "bash").stdout)
    ask = ('. ./script; COMP_WORDS=(baton-crisp --crisp-api-tier ""); COMP_CWORD=2; '
           '$(complete -p baton-crisp | sed "s/.*-F \\([^ ]*\\) .*/\\1/"); echo "${COMPREPLY[*]}"')
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("plugin website user\n", "")


# ---- health-check ----


class Health:
    """Answers every request with one status."""

    def __init__(self, status):
        self.status, self.paths = status, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                self.paths.append(peer.recv(4096).split()[1].decode())
                peer.sendall(b"HTTP/1.1 %d Status\r\nContent-Length: 0\r\n\r\n" % self.status)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(PATIENCE_S)


def test_health_check(tmp_path):  # 22
    with Health(200) as server:
        for args in ([], ["--endpoint", "ready"], ["--endpoint=live", "--timeout", "30"]):
            run = cli(tmp_path, "health-check", "--health-check-port", server.port, *args)
            assert (run.code, run.output) == (0, "")
        run = cli(tmp_path, "health-check", env={"BATON_HEALTH_CHECK_PORT": str(server.port)})
        assert (run.code, run.output) == (0, "")
    assert server.paths == ["/health", "/ready", "/live", "/health"]
    with Health(503) as server:
        run = cli(tmp_path, "health-check", "--health-check-port", server.port)
        assert refused(run) == "health check returned status 503\n"


def test_health_check_of_nobody(tmp_path):  # 22
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and not listened on
        port = held.getsockname()[1]
        run = cli(tmp_path, "health-check", "--health-check-port", port)
    assert refused(run, 14) == (
        f'health check failed: Get "http://127.0.0.1:{port}/health": rpc error: code = Unavailable '
        f"desc = connection refused\ndial tcp 127.0.0.1:{port}: connect: connection refused\n")


def test_health_check_of_a_wrong_endpoint(tmp_path):  # 22
    run = cli(tmp_path, "health-check", "--endpoint", "bogus")
    assert refused(run) == "invalid endpoint: bogus (valid: health, ready, live)\n"


# ---- secrets ----


def test_a_key_on_the_command_line_does_not_stay_there(sandbox, tmp_path):
    key = sandbox.env()["BATON_CRISP_API_KEY"]
    sandbox.fault("operators/list", "slow", count=1)
    env = {"BATON_CRISP_API_KEY": ""}
    process = start(sandbox, tmp_path, "--crisp-api-key", key, f"--crisp-key={key}", env=env)
    try:
        sandbox.wait_for_requests(1)
        arguments = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        assert b"--crisp-api-key" in arguments and key.encode() not in b" ".join(arguments)
        assert b"*" * len(key) in arguments
    finally:
        process.kill()
        process.communicate()


def test_a_key_from_a_pipe(sandbox, tmp_path):
    env = sandbox.env()
    key = env.pop("BATON_CRISP_API_KEY")
    script = f'exec "$0" --crisp-api-key-file <(echo {key})'
    done = subprocess.run(["bash", "-c", script, command()[0]], cwd=tmp_path, env=clean_env(env),
                          capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr


def test_a_key_file_that_is_not_there(tmp_path):
    env = {k: v for k, v in COMPLETE.items() if k != "BATON_CRISP_API_KEY"}
    run = cli(tmp_path, "--crisp-api-key-file", "nope", env=env)
    assert refused(run) == (
        "field crisp-api-key: the file nope (named by the command line): does not exist\n")


SECRET = "5e1f" * 16  # as long as a key of Crisp, and of the same letters
UNKNOWN_COMMAND = 'unknown command "***" for "baton-crisp"'


@pytest.mark.parametrize("args, last", [
    (["--crisp-api-key", SECRET, SECRET], UNKNOWN_COMMAND),
    ([SECRET, f"--crisp-key={SECRET}"], UNKNOWN_COMMAND),
    (["--crisp-api-key-file", SECRET],
     "field crisp-api-key: the file named by --crisp-api-key-file: does not exist"),
    (["--crisp-api-key-file", SECRET, SECRET], UNKNOWN_COMMAND),
    (["--crisp-api-tier", SECRET, "--crisp-api-key", SECRET],
     "field crisp-api-tier: value must be one of [plugin website user] but got '***'"),
    (["--workers", SECRET, "--crisp-api-key", SECRET],
     'invalid argument "***" for "--workers" flag: strconv.ParseInt: parsing "***": invalid syntax'),
    (["--crisp-api-key", SECRET, "--" + SECRET], "unknown flag: --***"),
])
def test_a_key_in_the_wrong_place_is_not_shown(tmp_path, args, last):
    env = {k: v for k, v in COMPLETE.items() if k != "BATON_CRISP_API_KEY"}
    run = cli(tmp_path, *args, env=env)
    assert SECRET[:16] not in run.output
    assert run.code == 2 and run.last_line == last


def test_a_key_of_the_environment_is_not_shown(tmp_path):
    env = {**COMPLETE, "BATON_CRISP_API_KEY": SECRET}
    assert refused(cli(tmp_path, SECRET, env=env)) == UNKNOWN_COMMAND + "\n"
    assert cli(tmp_path, "help", SECRET, env=env).stderr.startswith("Unknown help topic [`***`]\n")
    run = cli(tmp_path, "health-check", "--endpoint", SECRET, env=env)
    assert refused(run) == "invalid endpoint: *** (valid: health, ready, live)\n"


@pytest.mark.parametrize("key", ["crisp-api-key", "client-secret"])
def test_a_key_in_the_wrong_line_of_the_file_is_not_shown(tmp_path, key):
    config = tmp_path / ".baton.yaml"
    config.write_text(f"http-timeout-seconds: {SECRET}\n{key}: {SECRET}\n")
    config.chmod(0o600)
    env = {k: v for k, v in COMPLETE.items() if k != "BATON_CRISP_API_KEY" or key == "client-secret"}
    for args in ((), ("--http-timeout-seconds", "5"), ("--client-id", "x", "--client-secret", "other")):
        run = cli(tmp_path, *args, env=env)
        assert run.code != 0 and SECRET[:16] not in run.output
    run = cli(tmp_path, env=env)
    if key == "crisp-api-key":
        assert run.code == 2 and 'parsing "***"' in run.log("settings")["warning"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_file_may_end_with_one_line_end(sandbox, tmp_path, end):
    key = tmp_path / "key"
    key.write_bytes((sandbox.env()["BATON_CRISP_API_KEY"] + end).encode())
    key.chmod(0o600)
    run = sync(sandbox, tmp_path, "--crisp-api-key-file", key, env={"BATON_CRISP_API_KEY": ""})
    assert run.code == 0, run.stderr


@pytest.mark.parametrize("value, fault", [
    (SECRET + "\r", "ends with a carriage return: was the file made on Windows?"),
    (SECRET + "\n\n", "ends with a line feed: "),
    (SECRET + " ", "ends with a blank: "),
    (" " + SECRET, "begins with a blank: "),
    ("\ufeff" + SECRET, "begins with a byte order mark: "),
    (SECRET + "\x1b" + SECRET, "holds a control character: "),
])
def test_a_key_with_what_no_key_has_is_refused(tmp_path, value, fault):
    def check(run, place):
        assert refused(run).startswith(f"the value of crisp-api-key ({place}) {fault}")
        assert SECRET[:16] not in run.output

    env = {k: v for k, v in COMPLETE.items() if k != "BATON_CRISP_API_KEY"}
    (tmp_path / "key").write_text(value)
    (tmp_path / "key").chmod(0o600)
    check(cli(tmp_path, "--crisp-api-key-file", "key", env=env), "in the file key")
    check(cli(tmp_path, "--crisp-api-key", value, env=env), "from the command line")
    check(cli(tmp_path, env={**env, "BATON_CRISP_API_KEY": value}), "from BATON_CRISP_API_KEY")
    (tmp_path / ".baton.yaml").write_text("crisp-api-key: " + json.dumps(value) + "\n")
    (tmp_path / ".baton.yaml").chmod(0o600)
    check(cli(tmp_path, env=env), "from .baton.yaml line 1")
