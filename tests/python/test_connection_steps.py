"""`test-connection`: named steps, and nothing written without --send."""

from __future__ import annotations

import json


def steps(told):
    return {step["name"]: step for step in json.loads(told.stdout)["steps"]}


def sample(recipe):
    event = {"type": "track", "event": "Account Created", "messageId": "sample-1"}
    event["properties"] = {"company": "Sample Account", "first": "John", "last": "Smith"}
    return recipe.write("sample.json", json.dumps(event, indent=2))


def test_the_steps_pass_and_write_nothing(recipe):
    for file in (recipe.dynamics(), recipe.webhook()):
        told = recipe.run("test-connection", file, "--output", "json")
        assert told.returncode == 0
        seen = steps(told)
        assert [seen[name]["ok"] for name in ("reach", "sign in")] == [True, True]
    assert recipe.commits() == []


def test_a_sample_is_sent_once_and_read_back(recipe):
    file = recipe.dynamics()
    for _ in range(2):
        told = recipe.run(
            "test-connection", file, "--send", "--sample", sample(recipe), "--output", "json"
        )
        assert told.returncode == 0, told.stdout
        assert steps(told)["read back"]["ok"] is True
    assert recipe.trees_are_whole(1)


def test_a_sample_without_send_is_only_mapped(recipe):
    told = recipe.run(
        "test-connection", recipe.webhook(), "--sample", sample(recipe), "--output", "json"
    )
    assert told.returncode == 0
    assert "POST" in steps(told)["sample"]["detail"]
    assert recipe.commits() == []


def test_a_sample_that_no_subscription_wants_fails(recipe):
    other = recipe.write("other.json", '{"type": "page"}')
    told = recipe.run(
        "test-connection", recipe.dynamics(), "--send", "--sample", other, "--output", "json"
    )
    assert told.returncode == 4
    assert steps(told)["sample"]["ok"] is False


def test_a_sample_that_is_refused_fails_with_the_reason(recipe):
    file = recipe.dynamics()
    file.write_text(file.read_text().replace("Opportunity_Tasks", "opportunity_tasks"))
    told = recipe.run(
        "test-connection", file, "--send", "--sample", sample(recipe), "--output", "json"
    )
    assert told.returncode == 4
    assert "opportunity_tasks" in steps(told)["sample"]["detail"]
