"""Revmo's status callbacks in the form that an account tells: ids, words, signature, replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Diagnostic, FilesWrong, WebhookRefused
from runner.files.project import load_project
from runner.model.outcome import Outcome
from runner.model.project import OWN_SETTINGS, Account, AccountEntry, resolve_account
from runner.providers.registry import KNOWN, provider_for
from tests.building import NOON

WHOLE = """\
accounts:
  revmo:
    provider: revmo
    webhook_secret: env:REVMO_WEBHOOK_TOKEN
    webhook_signature: {scheme: hmac-sha256, header: X-Revmo-Signature, prefix: "sha256="}
    callback:
      id: data.call.sid
      reference: data.call.meta.attempt_id
      outcome: data.call.state
      outcomes: {hung-up: answered, machine: voicemail, stop: opted_out}
      summary: data.notes
      duration: data.call.seconds
      tag: data.result
      inbound: {from: data.sms.sender, body: data.sms.text}
"""


def account_in(folder: Path, text: str) -> Account:
    (folder / "outreach.yaml").write_text(text, encoding="utf-8")
    found = resolve_account(load_project(folder).project, "revmo", "default")
    assert found is not None
    return found


def wrong(folder: Path, text: str) -> list[Diagnostic]:
    (folder / "outreach.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FilesWrong) as caught:
        load_project(folder)
    return list(caught.value.diagnostics)


def told(state: str, **changes: Any) -> bytes:
    call = {"sid": "rv-1", "meta": {"attempt_id": "k" * 32}, "state": state, "seconds": "31"} | changes
    return json.dumps({"data": {"call": call, "notes": "Wants a call in May.", "result": "CALLBACK"}}).encode()


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("hung-up", Outcome.ANSWERED),
        ("HUNG UP", Outcome.ANSWERED),
        ("machine", Outcome.VOICEMAIL),
        ("call.no-answer", Outcome.NO_ANSWER),
        ("completed", Outcome.ANSWERED),
        ("ringing", None),
        ("", None),
    ],
)
def test_words_are_read_where_the_account_says(tmp_path: Path, word: str, outcome: Outcome | None) -> None:
    (seen,) = provider_for(account_in(tmp_path, WHOLE)).read_webhook({}, told(word))

    assert (seen.provider_id, seen.reference, seen.outcome) == ("rv-1", "k" * 32, outcome)
    assert (seen.summary, seen.duration_seconds, seen.tag) == ("Wants a call in May.", 31.0, "CALLBACK")


def test_an_opt_out_by_callback_is_one(tmp_path: Path) -> None:
    (seen,) = provider_for(account_in(tmp_path, WHOLE)).read_webhook({}, told("stop"))
    assert (seen.outcome, seen.opt_out) == (Outcome.OPTED_OUT, True)


def test_a_word_of_the_account_wins_over_the_obvious_one(tmp_path: Path) -> None:
    text = "accounts: {revmo: {provider: revmo, callback: {id: i, outcome: s, outcomes: {completed: voicemail}}}}\n"
    (seen,) = provider_for(account_in(tmp_path, text)).read_webhook({}, b'{"i": "rv-1", "s": "completed"}')
    assert seen.outcome is Outcome.VOICEMAIL


def test_the_reference_stands_in_the_metadata_when_nothing_else_is_said(tmp_path: Path) -> None:
    text = "accounts: {revmo: {provider: revmo, callback: {id: call.sid, outcome: call.state}}}\n"
    body = b'{"metadata": {"attempt_id": "abc"}, "call": {"state": "busy"}}'
    (seen,) = provider_for(account_in(tmp_path, text)).read_webhook({}, body)
    assert (seen.provider_id, seen.reference, seen.outcome) == ("", "abc", Outcome.BUSY)


@pytest.mark.parametrize("body", [b"{}", b'{"data": {"call": {"state": "hung-up"}}}', b"[]", b"nothing"])
def test_what_names_no_attempt_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        provider_for(account_in(tmp_path, WHOLE)).read_webhook({}, body)


def test_replies_are_read_where_the_account_says(tmp_path: Path) -> None:
    provider = provider_for(account_in(tmp_path, WHOLE))
    (text,) = provider.read_inbound({}, b'{"data": {"sms": {"sender": "12025550143", "text": "Stop"}}}')
    assert (text.provider, text.from_number, text.body) == ("revmo", "+12025550143", "Stop")
    assert provider.read_inbound({}, told("hung-up")) == ()


def test_without_the_setting_the_obvious_keys_are_read(tmp_path: Path) -> None:
    provider = provider_for(account_in(tmp_path, "accounts: {revmo: {provider: revmo}}\n"))
    (seen,) = provider.read_webhook({}, b'{"external_id": "rv-1", "status": "voicemail"}')
    assert (seen.provider_id, seen.outcome) == ("rv-1", Outcome.VOICEMAIL)
    assert not provider.verify_webhook({"x-revmo-signature": "sha256="}, b"", "secret", NOON)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("movoice, callback: {id: a, outcome: b}", "accounts.x", "`callback` is a setting of revmo's accounts"),
        ("revmo, webhook_signature: {prefix: a}", "accounts.x", "`webhook_signature` does not say which header"),
        ("revmo, callback: {id: a}", "accounts.x.callback.outcome", "`outcome`"),
        ("revmo, callback: {outcome: a}", "accounts.x.callback.id", "`id`"),
        ("revmo, callback: {id: a, outcome: b, outcomes: {x: talked}}", "accounts.x.callback.outcomes.x", "`talked`"),
        ("revmo, callback: {id: a/b, outcome: b}", "accounts.x.callback.id", "`a/b`"),
        ("revox, spare_lines: 2", "accounts.x", "`spare_lines` is a setting of revring's accounts"),
        ("revring, generation: seed, spare_lines: 2", "accounts.x", "this generation of revring"),
        ("revring, spare_lines: -1", "accounts.x.spare_lines", "-1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_account_is_said_with_its_place(tmp_path: Path, text: str, path: str, said: str) -> None:
    (found,) = wrong(tmp_path, f"accounts: {{x: {{provider: {text}}}}}\n")
    assert (found.path, found.span is not None) == (path, True)
    assert said in found.message, found.message
    assert found.help


def test_only_the_providers_with_a_setting_can_use_it() -> None:
    counting = {key for key, one in KNOWN.items() if getattr(one, "lines", None) is not None}
    assert counting == {("revring", ""), ("revring", "current")}, "the oldest generation is refused by the account"
    assert {name for (name, _), one in KNOWN.items() if hasattr(one, "callback")} == set(OWN_SETTINGS["callback"])
    assert {name for (name, _), one in KNOWN.items() if hasattr(one, "signature")} == set(
        OWN_SETTINGS["webhook_signature"]
    )
    assert OWN_SETTINGS.keys() <= AccountEntry.model_fields.keys()
