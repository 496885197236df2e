"""Values of keys that look like secrets are never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.files.document import read_document
from runner.files.masking import MASK, is_secret, mask_line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("credential: abc123", f"credential: {MASK}"),
        ("{is: revox/a, key: sk-1}", f"{{is: revox/a, key: {MASK}}}"),
        ('api_key: "a b, c"  ', f"api_key: {MASK}  "),
        ("{token: abc, poll: 1h}", "{token: ***, poll: 1h}"),
        ("webhook_secret: 'it''s'", f"webhook_secret: {MASK}"),
        ("credential: env:REVOX_API_KEY", "credential: env:REVOX_API_KEY"),
        ("credential: file:~/keys/revox", "credential: file:~/keys/revox"),
        ('password: "{{ contact.password }}"', 'password: "{{ contact.password }}"'),
        ("columns: {key: customer_id}", "columns: {key: customer_id}"),
        ("name: Ann", "name: Ann"),
        ("MY_PASSWORD: x1", f"MY_PASSWORD: {MASK}"),
        ("ledger: postgresql://me:pa55@host/db", "ledger: postgresql://me:****@host/db"),
        ("url: http://host:80/a@b", "url: http://host:80/a@b"),
        ('{url: "https://host/a?api_key=sk-1&b=2", x: 1}', '{url: "https://host/a?api_key=****&b=2", x: 1}'),
        ("url: https://host/a?b=2&Token=abc", f"url: https://host/a?b=2&Token={MASK}"),
        ("url: https://host/a?page=2", "url: https://host/a?page=2"),
    ],
)
def test_lines(line: str, shown: str) -> None:
    assert mask_line(line) == shown


def test_brackets_of_an_unread_file_hide_the_rest() -> None:
    assert mask_line("tokens: [abc, def", unread=True) == f"tokens: {MASK}"
    assert mask_line("tokens: [abc, def]") == "tokens: [abc, def]"


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("a: 1\ncredential: |\n  sk-1234\n  sk-5678\n", 3, f"  {MASK}"),
        ("accounts:\n  main:\n    credential:\n      sk-1234\n", 4, f"      {MASK}"),
        ('secret: "two\n  lines"\n', 2, f"  {MASK}"),
        ("secret: {a: sk-1234}\n", 1, "secret: {a: sk-1234}"),
    ],
)
def test_values_on_lines_of_their_own(text: str, line: int, shown: str) -> None:
    assert read_document(text.encode(), "x.yaml").shown_line(line) == shown


@given(
    st.sampled_from(["api_key", "token", "credential", "webhook_secret"]),
    st.from_regex(r"[A-Za-z0-9_\-]{6,40}", fullmatch=True),
)
def test_no_secret_survives_in_any_layout(name: str, secret: str) -> None:
    secret = "9Z-" + secret
    for text in (
        f"{name}: {secret}\n",
        f"x: {{{name}: '{secret}', b: c}}\n",
        f'{name}: "{secret}" # note\n',
        f"{name}: >-\n  {secret}\n",
    ):
        document = read_document(text.encode(), "x.yaml")
        assert not any(secret in document.shown_line(line) for line in range(1, 4))
    assert is_secret(name, secret)
