"""Rules on notifications: what hooks wait for happens, whom they tell stands in outreach.yaml, addresses are public."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from runner.errors import AddressRefused
from runner.files.faults import Fault
from runner.files.keys import did_you_mean
from runner.files.masking import holds_key
from runner.files.nodes import KeyPath, Node
from runner.model.notification import TARGET_HELP, Hook, NotifyTarget
from runner.model.project import Project
from runner.rules.addresses import place_of
from runner.rules.notify import event_problem


def check_hooks(hooks: Sequence[Hook] | None, targets: Collection[str], root: Node, path: KeyPath) -> list[Fault]:
    """Give every fault of the hooks that stand at a path of a document."""
    return [fault for at, hook in enumerate(hooks or ()) for fault in _hook(hook, targets, root, path, at)]


def check_targets(project: Project, root: Node) -> list[Fault]:
    """Give every fault of a project's targets and of the hooks that it gives to campaigns."""
    found = [fault for name, target in project.notify.items() for fault in _target(target, ("notify", name))]
    return [*found, *check_hooks(project.defaults.on, project.notify, root, ("defaults", "on"))]


def _hook(hook: Hook, targets: Collection[str], root: Node, path: KeyPath, at: int) -> Iterator[Fault]:
    node = _node(root, path)
    is_short = node is not None and node.kind == "mapping"
    key = node.keys[at].value if node is not None and is_short and at < len(node.keys) else None
    when: KeyPath = (*path, key or "") if is_short else (*path, at, "when")
    notify: KeyPath = (*path, key or "") if is_short else (*path, at, "notify")
    where: Literal["key", "value"] = "key" if is_short else "value"
    if not hook.when:
        yield Fault(path=when, code="C42", message="nothing is named that happens", help="write: finished", at=where)
    for word in hook.when:
        problem = event_problem(word)
        if problem is not None:
            yield Fault(path=when, code="C42", message=problem[0], help=problem[1], at=where)
    if not hook.notify:
        yield Fault(path=notify, code="C42", message="nobody is named who is told", help="write: finished: team")
    for name in hook.notify:
        if "://" in name:
            message = f"`{name}` is an address: where notifications go stands in outreach.yaml"
            yield Fault(path=notify, code="C43", message=message, help=TARGET_HELP)
        elif name not in targets:
            known = f"the targets there: {', '.join(targets)}" if targets else ""
            advice = (
                did_you_mean(name, targets) or known or f"add there: notify: {{{name}: {{apprise: env:TEAM_CHAT_URL}}}}"
            )
            yield Fault(path=notify, code="C43", message=f"outreach.yaml has no target `{name}`", help=advice)


def _target(target: NotifyTarget, path: KeyPath) -> Iterator[Fault]:
    """Refuse an address that nothing may be sent to, and one that holds a key."""
    address = target.webhook or ""
    if "://" not in address:
        if target.webhook is not None and not address.startswith(("env:", "file:", "keyring:", "cmd:")):
            advice = "write: webhook: https://hooks.example.com/outreach"
            yield Fault(path=(*path, "webhook"), code="C10", message=f"`{address}` is not an address", help=advice)
        return
    if "@" in address.partition("://")[2].partition("/")[0] or holds_key(address):
        advice = "put it in the environment and write: webhook: env:CRM_HOOK_URL"
        yield Fault(path=(*path, "webhook"), code="S01", message="this address holds a key", help=advice)
        return
    try:
        place_of(address, allow_loopback=target.allow_loopback)
    except AddressRefused as refused:
        yield Fault(path=(*path, "webhook"), code="S02", message=refused.message, help=refused.help)


def _node(root: Node, path: KeyPath) -> Node | None:
    node: Node | None = root
    for step in path:
        node = node.step(step) if node is not None else None
    return node
