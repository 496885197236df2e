"""No request leaves for an address that is not public: every URL of the corpus, and names that change their mind."""

from __future__ import annotations

from tests.hostile.urls import KEY, corpus, refusal_of
from tests.proofs.proof import Figure, Proof, Share


def run(share: Share) -> Figure:
    """Give every URL to the reader of files and to the sender; both shares run all of it."""
    del share
    urls = corpus()
    seen = [(one, refusal_of(one)) for one in urls]
    by_file = sum(bool(refusal.by_file) for _, refusal in seen)
    resolved = sum(bool(one.addresses) and bool(refusal.by_sender) for one, refusal in seen)
    let_through = [one.url for one, refusal in seen if not refusal.by_sender]
    unsaid = [one.url for one, refusal in seen if not (refusal.by_file or one.addresses)]
    leaks = sum(KEY in refusal.by_sender + refusal.by_file for _, refusal in seen)
    said = (
        f"{len(urls)} URLs, {by_file} refused by their file with line and column, {resolved} by what their name "
        f"resolves to, {len(let_through)} let through, {leaks} messages with a key"
    )
    return Figure(said=said, holds=len(urls) >= 40 and not let_through and not unsaid and not leaks)


PROOFS = (
    Proof(
        name="ssrf",
        promise="No key and nobody's data is sent to an address that is not public, whatever a file or a resolver says.",
        run=run,
    ),
)
