"""Every documented payload, in one table: answers and webhooks read into the right outcome, requests built as they stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from runner.errors import InDoubt, Rejected, Throttled
from runner.model.handover import HandedContact, Handover, NativeStatus
from runner.model.outcome import Outcome
from runner.model.request import Order, Reply, Request, Sent
from runner.model.retry import Retry
from runner.providers import revox_reports, revring_account
from runner.providers.movoice import Movoice
from runner.providers.movoice_native import MovoiceBatches
from runner.providers.replies import OptedOut
from runner.providers.revmo import Revmo
from runner.providers.revox import Revox, RevoxD
from runner.providers.revox_do_not_call import RevoxDoNotCall
from runner.providers.revox_native import RevoxCampaigns
from runner.providers.revring import Revring, RevringSeed
from runner.providers.revring_account import RevringBatch, RevringLines
from runner.providers.revring_do_not_call import RevringDoNotCall
from runner.providers.revring_native import RevringCampaigns
from tests.providers.conftest import EXAMPLES
from tests.providers.support import ALWAYS, KEY, Example, windows

REVMO, REVRING, REVOX, REVOX_D, MOVOICE = Revmo(), Revring(), Revox(), RevoxD(), Movoice()
RINGED, OWN_A, OWN_D, BATCHES = (
    RevringCampaigns(),
    RevoxCampaigns("A"),
    RevoxCampaigns("D"),
    MovoiceBatches(plan="business"),
)
START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
RING_AGENT, ASSISTANT = "3c90c3cc-0d44-4b50-8888-8dd25736052a", "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
RING_CALL = "a3c18021-192f-465e-87b5-5af428f29e81"
FROM = "+12025550190"


def sent(**changes: Any) -> Sent:
    plain: dict[str, Any] = {
        "key": KEY, "channel": "call", "phone": "+12025550101", "agent_id": "agent_12345", "campaign": "renewals",
        "sent_at": START, "provider_id": "id_1",
    }  # fmt: skip
    return Sent(**plain | changes)


def receipt(provider: Any) -> Callable[[Reply], Any]:
    return lambda reply: provider.read_receipt(reply).provider_id


def ended(provider: Any, **changes: Any) -> Callable[[Reply], Any]:
    return lambda reply: provider.read_poll(sent(**changes), reply).outcome


def found(provider: Any, **changes: Any) -> Callable[[Reply], Any]:
    return lambda reply: provider.read_find(sent(**changes), reply).provider_id


def told(provider: Any) -> Callable[[Reply], Any]:
    return lambda reply: [(seen.provider_id, seen.outcome) for seen in provider.read_webhook({}, reply.body)]


def people(native: Any) -> Callable[[Reply], Any]:
    return lambda reply: [row.ended.outcome if row.ended else None for row in native.read_rows(reply).rows]


def signed(reply: Reply) -> bool:
    vector = json.loads(reply.body)
    headers = {"x-revring-timestamp": vector["timestamp"], "x-revring-signature": vector["X-RevRing-Signature"]}
    now = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    return REVRING.verify_webhook(headers, vector["raw_body"].encode(), vector["secret"], now)


READ: dict[str, tuple[int, Callable[[Reply], Any], Any]] = {
    "revmo.makecall.response.ok": (200, receipt(REVMO), "rvm-call-000001"),
    "revmo.makecall.response.error": (400, receipt(REVMO), Rejected),
    "revmo.startsms.response": (200, receipt(REVMO), "rvm-thread-000001"),
    "revring.call.create.response.201.queued": (201, receipt(REVRING), RING_CALL),
    "revring.call.create.response.201.initiated": (201, receipt(REVRING), RING_CALL),
    "revring.call.create.response.400": (400, receipt(REVRING), Rejected),
    "revring.call.create.response.401": (401, receipt(REVRING), Rejected),
    "revring.call.create.response.402": (402, receipt(REVRING), Rejected),
    "revring.call.create.response.404": (404, receipt(REVRING), Rejected),
    "revring.call.create.response.409": (409, receipt(REVRING), OptedOut),
    "revring.call.create.response.429": (429, receipt(REVRING), Throttled),
    "revring.call.get.response.completed": (200, ended(REVRING), Outcome.ANSWERED),
    "revring.call.get.response.failed_no_answer": (200, ended(REVRING), Outcome.NO_ANSWER),
    "revring.call.get.response.voicemail": (200, ended(REVRING), Outcome.VOICEMAIL),
    "revring.call.list.response": (200, found(REVRING, agent_id=RING_AGENT), RING_CALL),
    "revring.call.batch_get.response": (
        200, lambda reply: RevringBatch().read(reply)[RING_CALL].outcome, Outcome.ANSWERED,
    ),
    "revring.call.cancel.response.200": (200, REVRING.read_cancel, True),
    "revring.call.cancel.response.400": (400, REVRING.read_cancel, False),
    "revring.call.end.response.202": (202, REVRING.read_cancel, True),
    "revring.call.end.response.409": (409, REVRING.read_cancel, False),
    "revring.analytics.active.response": (200, lambda reply: RevringLines().read(reply), 6),
    "revring.campaign.create.response.201": (201, RINGED.read_created, "cmp_0001"),
    "revring.campaign.get.response": (200, RINGED.read_status, NativeStatus.RUNNING),
    "revring.campaign.contacts.response": (200, people(RINGED), [Outcome.ANSWERED, None, Outcome.OPTED_OUT]),
    "revring.campaign.add_contacts.response.201": (201, RINGED.read_done, True),
    "revring.campaign.error.409": (409, RINGED.read_done, False),
    "revring.dnc.add.response.201": (201, RevringDoNotCall().read_added, None),
    "revring.dnc.list.response": (200, lambda reply: RevringDoNotCall().read_list(reply, 0).numbers, ("+12025550103",)),
    "revring.message.response.201": (201, receipt(REVRING), "msg_0001"),
    "revring.message.response.502": (502, receipt(REVRING), Rejected),
    "revring.webhook.post_call": (200, told(REVRING), [(RING_CALL, Outcome.ANSWERED)]),
    "revring.webhook.call_started": (200, told(REVRING), [(RING_CALL, None)]),
    "revring.webhook.transfer_started": (200, told(REVRING), []),
    "revring.webhook.message_received": (200, told(REVRING), []),
    "revring.webhook.pre_call": (200, told(REVRING), []),
    "revring.webhook.signing_secret.response": (201, lambda reply: revring_account.read_signing(reply).is_on, True),
    "revring.webhook.signature_vector": (200, signed, True),
    "revox.call.create.response": (200, receipt(REVOX), "call_0001"),
    "revox.call.get.response.completed": (200, ended(REVOX), Outcome.ANSWERED),
    "revox.call.get.response.waiting_retry": (200, ended(REVOX), None),
    "revox.call.get.response.cancelled": (200, ended(REVOX), Outcome.CANCELLED),
    "revox.call.search.response": (200, found(REVOX, key="att-0001"), "call_0001"),
    "revox.call.list.response.gen_A": (
        200, lambda reply: [seen.outcome for seen in revox_reports.read_attempts(reply)], [Outcome.ANSWERED],
    ),
    "revox.call.cancel.response": (200, REVOX.read_cancel, True),
    "revox.call.export.response": (200, lambda reply: revox_reports.read_export(reply).filename, "calls.csv"),
    "revox.phone_history.response": (200, lambda reply: RevoxDoNotCall().read_list(reply, 0).numbers, ()),
    "revox.campaign.response.gen_A_seed": (200, OWN_A.read_created, "camp_0001"),
    "revox.campaign.response.gen_D": (200, OWN_D.read_status, NativeStatus.DRAFT),
    "revox.campaign.launch.response": (200, OWN_D.read_done, True),
    "revox.campaign.rows.response.gen_A": (200, people(OWN_A), [None]),
    "revox.campaign.rows.response.gen_D": (200, people(OWN_D), [Outcome.ANSWERED]),
    "revox.campaign.list.response": (200, lambda reply: OWN_D.read_find(f"x {KEY}", reply).found, False),
    "revox.campaign.cancel.response": (200, OWN_D.read_done, True),
    "revox.error": (400, receipt(REVOX), Rejected),
    "revox.webhook.completed.nested": (200, told(REVOX), [("call_0001", Outcome.ANSWERED)]),
    "revox.webhook.completed.flat": (
        200, told(REVOX), [("11111111-1111-4111-8111-111111111111", Outcome.ANSWERED)],
    ),
    "movoice.call.create.response": (200, receipt(MOVOICE), "call_998877"),
    "movoice.call.create.response.scheduled": (200, receipt(MOVOICE), "call_998878"),
    "movoice.call.get.response": (200, ended(MOVOICE), Outcome.ANSWERED),
    "movoice.call.list.response": (
        200, found(MOVOICE, sent_at=datetime.fromtimestamp(1767625000, UTC)), "call_998877",
    ),
    "movoice.batch.create.response": (200, BATCHES.read_created, "batch_0001@1767625000"),
    "movoice.error": (400, receipt(MOVOICE), Rejected),
    "movoice.webhook.call_started": (200, told(MOVOICE), [("call_998877", None)]),
    "movoice.webhook.call_completed": (200, told(MOVOICE), [("call_998877", Outcome.ANSWERED)]),
    "movoice.webhook.call_failed": (200, told(MOVOICE), [("call_998878", Outcome.NO_ANSWER)]),
    "movoice.webhook.action_triggered": (200, told(MOVOICE), [("call_998877", None)]),
    "movoice.webhook.transfer_initiated": (200, told(MOVOICE), [("call_998877", None)]),
}  # fmt: skip
"""example -> its status, who reads it, and what comes out, or the error"""


def order(agent_id: str, **changes: Any) -> Order:
    plain: dict[str, Any] = {"campaign": "renewals", "channel": "call", "agent_id": agent_id, "phone": "+12025550101"}
    return Order(**plain | changes)


def person(phone: str, **variables: Any) -> HandedContact:
    return HandedContact(phone=phone, variables=variables, timezone="America/New_York")


def handover(agent_id: str, some: tuple[HandedContact, ...], **changes: Any) -> Handover:
    plain: dict[str, Any] = {
        "key": KEY, "campaign": "run-0001", "agent_id": agent_id, "people": some, "windows": windows("10:00-18:00"),
        "timezone": "America/New_York", "retry": Retry(attempts=3), "concurrency": 5,
    }  # fmt: skip
    return Handover(**plain | changes)


ANA, SAM = person("+12025550101", first_name="Ana"), person("+12025550102", first_name="Sam")
LEE = HandedContact(phone="+12025550104", variables={"first_name": "Lee"})
WEEKDAYS = windows("mon-fri 10:00-18:00")


def options_of(body: Any, *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names}


def full_call(body: Any) -> Request:
    own = {"agentId", "toNumber", "fromNumber", "variables", "idempotencyKey"}
    options = {name: value for name, value in body.items() if name not in own}
    return REVRING.build(order(RING_AGENT, from_number=FROM, variables=body["variables"], options=options))


def ring_campaign(body: Any) -> Request:
    options = options_of(body, "defaultVariables", "voicemailStrategy")
    retry = Retry.model_validate({"attempts": 3, "after": "2h", "on": "no_answer, busy"})
    hours = windows("mon-fri 09:00-18:00")
    return RINGED.create(
        handover(RING_AGENT, (ANA, SAM), from_number=FROM, windows=hours, retry=retry, per_second=1, options=options)
    )


Changes = Callable[[dict[str, Any]], dict[str, Any]]


def as_it_stands(body: dict[str, Any]) -> dict[str, Any]:
    return body


def without(*names: str) -> Changes:
    return lambda body: {name: value for name, value in body.items() if name not in names}


def named(body: dict[str, Any]) -> dict[str, Any]:
    """Our campaigns carry their key in their name."""
    return {**body, "name": f"{body['name']} {KEY}"}


def ring_terms(body: dict[str, Any]) -> dict[str, Any]:
    """Ours is a draft that is started by itself; nobody stands in it twice; everybody's zone is said, so none is guessed."""
    contacts = [{**contact, "timezone": "America/New_York"} for contact in body["contacts"][:2]]
    said = {name: value for name, value in body.items() if value is not None}
    return {**said, "name": f"run-0001 {KEY}", "contacts": contacts, "start": False}


def searched(body: dict[str, Any]) -> dict[str, Any]:
    """Ours asks for the first page, of either direction, a hundred at once, in the usual order."""
    kept = without("sort_by", "sort_direction")(body)
    return {**kept, "directions": [], "page": 0, "page_size": 100}


BUILT: dict[str, tuple[Callable[[Any], Request | None], Changes]] = {
    "revmo.makecall.request": (
        lambda body: REVMO.build(
            order(body["agentId"], variables=body["metadata"], options=options_of(body, "trigger", "initial_silence_timeout"))
        ),
        as_it_stands,
    ),
    "revmo.startsms.request": (
        lambda body: REVMO.build(
            order(body["agentId"], channel="text", phone=body["to"], variables=body["metadata"], options=options_of(body, "trigger"))
        ),
        as_it_stands,
    ),
    "revmo.startsms.request.single": (
        lambda body: REVMO.build(
            order(body["agentId"], channel="text", phone=body["to"], message=body["override"], options={"no_agent": True})
        ),
        as_it_stands,
    ),
    "revring.call.create.request.seed": (
        lambda body: RevringSeed().build(
            order(RING_AGENT, from_number=FROM, variables=body["variables"], options=options_of(body, "callerIdName", "skipQueue"))
        ),
        as_it_stands,
    ),
    # The key travels in the header, which means the same.
    "revring.call.create.request.full": (full_call, without("idempotencyKey")),
    "revring.call.batch_get.request": (
        lambda body: RevringBatch(minimal=True).request(body["ids"]), as_it_stands,
    ),
    "revring.campaign.create.request": (ring_campaign, ring_terms),
    "revring.campaign.add_contacts.request": (
        lambda _body: RINGED.add("cmp_0001", handover(RING_AGENT, (LEE,), timezone="contact")),
        as_it_stands,
    ),
    "revring.dnc.add.request": (
        lambda body: RevringDoNotCall().add_request(body["numbers"], body["reason"]), as_it_stands,
    ),
    # An agent has a connection of its own, and is always named.
    "revring.message.send.request.raw": (
        lambda body: REVRING.build(
            order(RING_AGENT, channel="text", message=body["body"], options=options_of(body, "messagingConnectionId"))
        ),
        lambda body: {**body, "agentId": RING_AGENT},
    ),
    "revring.message.send.request.generated": (
        lambda body: REVRING.build(order(RING_AGENT, channel="text", options=options_of(body, "messages", "smsPrompt"))),
        as_it_stands,
    ),
    "revox.call.create.request": (
        lambda body: REVOX_D.build(
            order(
                ASSISTANT,
                from_number=FROM,
                variables=body["prompt_variables"],
                options=options_of(body, "metadata", "concurrency", "skip_calling_window"),
            )
        ),
        as_it_stands,
    ),
    "revox.call.create.request.gen_old": (
        lambda body: REVOX.build(order(ASSISTANT, options=options_of(body, "force_now", "concurrency", "scheduled_at"))),
        as_it_stands,
    ),
    "revox.call.search.request": (lambda _body: REVOX.find_request(sent(agent_id=ASSISTANT), 0), searched),
    "revox.call.export.request": (lambda _body: revox_reports.export_request(["camp_0001"]), as_it_stands),
    "revox.campaign.create.request.gen_A_seed": (
        lambda _body: OWN_A.create(handover(ASSISTANT, (ANA, SAM), from_number=FROM, start_at=START)), named,
    ),
    "revox.campaign.create.request.gen_D": (
        lambda _body: OWN_D.create(handover(ASSISTANT, (ANA,), from_number=FROM, windows=WEEKDAYS)), named,
    ),
    # Generation C is not spoken: its two keys more are the reason.
    "revox.campaign.create.request.gen_C": (
        lambda _body: OWN_D.create(handover(ASSISTANT, (person("+12025550101"),), windows=WEEKDAYS)),
        lambda body: {**without("launch", "type")(named(body)), "max_concurrent_calls": 5},
    ),
    "revox.campaign.launch.request": (lambda _body: OWN_D.launch("camp_0001"), as_it_stands),
    "movoice.call.create.request": (
        lambda body: MOVOICE.build(
            order(body["agent_id"], from_number=FROM, variables=body["variables"], options=options_of(body, "max_duration"))
        ),
        as_it_stands,
    ),
    "movoice.call.create.request.scheduled": (
        lambda body: MOVOICE.build(
            order(body["agent_id"], variables=body["variables"], options=options_of(body, "schedule_at"))
        ),
        as_it_stands,
    ),
    "movoice.batch.create.request": (
        lambda body: BATCHES.create(
            handover(
                body["agent_id"],
                tuple(person(one["phone"], **one["variables"]) for one in body["recipients"]),
                windows=ALWAYS,
                retry=Retry(attempts=1),
                start_at=datetime.fromtimestamp(body["schedule_at"], UTC),
            )
        ),
        as_it_stands,
    ),
}  # fmt: skip
"""example -> what builds it from the example's values, and how ours differs on purpose"""

NOT_OURS = {"revring.webhook.pre_call.reply"}
"""an answer to an inbound call, which is not ours to take"""


def test_every_example_is_in_a_table() -> None:
    names = {path.name.removesuffix(".json") for path in EXAMPLES.glob("*.json")}

    assert names == {*READ, *BUILT, *NOT_OURS}


@pytest.mark.parametrize("name", READ)
def test_answers_and_webhooks(example: Example, name: str) -> None:
    status, read, wanted = READ[name]
    reply = Reply(status=status, headers={}, body=json.dumps(example(name)).encode())
    if isinstance(wanted, type) and issubclass(wanted, (Rejected, Throttled, InDoubt)):
        with pytest.raises(wanted) as raised:
            read(reply)
        assert type(raised.value) is wanted
    else:
        assert read(reply) == wanted


@pytest.mark.parametrize("name", BUILT)
def test_requests(example: Example, name: str) -> None:
    build, changed = BUILT[name]
    request = build(example(name))

    assert request is not None
    assert request.body == changed(example(name))
