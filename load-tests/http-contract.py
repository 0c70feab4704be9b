"""Accounts, rooms and settings for http-contract.sh: prepare, operations (how many there are), count (of requests made)."""

import collections
import json
import pathlib
import sys
import urllib.request

base, work = sys.argv[1], pathlib.Path(sys.argv[2])

# What differs here by intent. Everything else is checked.
#
# positive_data_acceptance: rules between fields (a channel has a name), what exists (a user's id), characters that nobody
# sees and bytes where the schema can count characters only; each is a documented 4xx.
# ensure_resource_availability, use_after_free, object_level_authorization: need a model of who owns what; the engine's own
# tests have one.
CHECKS = """
[checks]
positive_data_acceptance.enabled = false
ensure_resource_availability.enabled = false
use_after_free.enabled = false
object_level_authorization.enabled = false
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "409", "413", "415", "422"]

[phases.stateful]
enabled = false
"""


def call(method, path, token=None, body=None):
    request = urllib.request.Request(f"{base}/api/v1{path}", method=method)
    if token:
        request.add_header("authorization", f"Bearer {token}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or "null")


def sign_up(name):
    email = f"{name}@example.com"
    answer = call("POST", "/auth/register", None, {"username": name, "email": email, "password": "correct horse battery"})
    (work / f"{name}.token").write_text(answer["access_token"])
    return answer["user"]["id"], answer["access_token"]


def prepare():
    admin, _ = sign_up("contract-admin")
    _, token = sign_up("contract-user")
    guest, _ = sign_up("contract-guest")
    sign_up("contract-leaver")
    members = [admin, guest]
    group = call("POST", "/rooms", token, {"kind": "group", "name": "group", "member_ids": members})["id"]
    call("POST", "/rooms", token, {"kind": "direct", "member_ids": [admin]})
    space = call("POST", "/spaces", token, {"name": "space"})["id"]
    for member in members:
        call("POST", f"/spaces/{space}/members", token, {"user_id": member})
    call("POST", "/rooms", token, {"kind": "channel", "name": "channel", "space_id": space, "member_ids": members})
    for number in range(5):
        call("POST", f"/rooms/{group}/messages", token, {"client_id": str(number), "content": "hello"})
    made = {"/rooms/{id}": {"id": group, "user_id": guest}, "/spaces/{id}": {"id": space, "user_id": guest}, "/users/{id}": {"id": admin}}
    (work / "any.toml").write_text(CHECKS)
    with (work / "made.toml").open("w") as file:
        file.write(CHECKS)
        for path in call_document()["paths"]:
            for prefix, ids in made.items():
                names = [name for name in ids if "{" + name + "}" in path]
                if path.startswith(prefix) and names:
                    file.write(f"\n[[operations]]\ninclude-path = {json.dumps(path)}\n")
                    values = ", ".join(f'"path.{name}" = {json.dumps(ids[name])}' for name in names)
                    file.write(f"parameters = {{ {values} }}\n")


def call_document():
    with urllib.request.urlopen(f"{base}/docs/openapi.json", timeout=30) as answer:
        return json.load(answer)


def count():
    """How many requests were made, how many of them succeeded, and how many answers there were of each status."""
    statuses = collections.Counter()
    for report in work.glob("*.ndjson"):
        with report.open() as lines:
            for line in lines:
                recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
                for interaction in recorder.get("interactions", {}).values():
                    statuses[(interaction.get("response") or {}).get("status_code", 0)] += 1
    succeeded = sum(number for status, number in statuses.items() if 200 <= status < 300)
    said = ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items()))
    print(statuses.total(), succeeded, said)


if sys.argv[3] == "prepare":
    prepare()
elif sys.argv[3] == "operations":
    print(sum(len(item) for item in call_document()["paths"].values()))
else:
    count()
