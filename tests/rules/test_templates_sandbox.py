"""The sandbox of templates: nothing escapes it, and what would eat time or memory is refused at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from runner.rules.templates import RenderFailed, TemplateSet, TemplateWrong

FILES = {"words.txt": "{% macro hello(name) %}Hello {{ name | title }}{% endmacro %}"}
VALUES: Mapping[str, Any] = {
    "contact": {"name": "ann o'neill", "days": ["mon", "tue"], "address": {"city": "Austin"}},
    "now": datetime(2026, 12, 3, 15, 30, tzinfo=UTC),
}
TEMPLATES = TemplateSet(FILES, "en_US")


class Secretive:
    """An object as no caller should pass it: nothing of it may be reached."""

    secret = "s3cret"

    def tell(self) -> str:
        return self.secret

    def __str__(self) -> str:
        return self.secret


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ contact.__class__ }}",
    "{{ contact['__init__'] }}",
    "{{ contact.items() }}",
    "{{ contact.update({'a': 1}) }}",
    "{{ contact.days.append('x') }}",
    "{{ contact | attr('__class__') }}",
    "{{ 'x' | attr('format') }}",
    "{{ '{0.__class__}'.format(contact) }}",
    "{{ '{0.__class__}' | format(contact) }}",
    "{{ '%s' % contact }}",
    "{{ contact.name.format }}",
    "{{ contact.days | map(attribute='__class__') | list }}",
    "{{ contact.days | map('attr', '__class__') | list }}",
    "{{ [contact] | join(attribute='__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% for a in contact.days %}{{ loop.__init__ }}{% endfor %}",
    "{% for a in contact.days %}{{ loop._iterable }}{% endfor %}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner('x') }}",
    "{{ dict(a=1) }}",
    "{{ namespace(a=1) }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ now.__reduce__() }}",
    "{{ now.strftime('%Y') }}",
    "{{ now.tzinfo }}",
    "{% import 'words.txt' as w %}{{ w.__dict__ }}",
    "{% import 'words.txt' as w %}{{ w._body_stream }}",
    "{% import contact.name as w %}",
    "{% include contact.name %}",
    "{% include '../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% extends contact.name %}",
    "{% autoescape true %}{% endautoescape %}",
    "{{ contact.name | safe }}",
    "{% do contact.clear() %}",
    "{% debug %}",
    "{{ object.secret }}",
    "{{ object.tell() }}",
    "{{ object }}",
    "{{ object | string }}",
    "{{ object ~ '' }}",
    "{{ [object] | join }}",
    "{{ object | tojson }}",
    "{{ object['secret'] }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_nothing_escapes_the_sandbox(source: str) -> None:
    with pytest.raises((TemplateWrong, RenderFailed)) as caught:
        TEMPLATES.compile(source).render({**VALUES, "object": Secretive()})
    assert "s3cret" not in caught.value.message + caught.value.help


BOMBS: Mapping[str, str] = {
    "times": "{{ 'A' * 1000000000 }}",
    "times of a cell": "{{ contact.name * 1000000000 }}",
    "times from the left": "{{ 1000000000 * contact.name }}",
    "list times": "{{ [1] * 1000000000 }}",
    "power": "{{ 9**9**9 }}",
    "power of a bracket": "{{ (9**9)**9 }}",
    "range": "{% for i in range(1000000000) %}{% endfor %}",
    "nested range": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "format filter": "{{ '%0500000000d' | format(1) }}",
    "format operator": "{{ '%0500000000d' % 1 }}",
    "format operator of a cell": "{{ contact.wide % 1 }}",
    "format method": "{{ '{:>500000000}'.format(1) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "indent": "{{ 'a' | indent(1000000000) }}",
    "slice": "{{ [1] | slice(1000000000) | list }}",
    "batch": "{{ [1] | batch(1000000000, 0) | list }}",
    "namespace": "{% set n = namespace(x='a') %}{% for i in 'aaaaaaaaaa' %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "loops": "{% for a in contact.big %}" * 3 + "{% endfor %}" * 3,
    "four loops": "{% for a in contact.big %}" * 4 + "{% endfor %}" * 4,
    "recursive loop": "{% for a in contact.big recursive %}{{ loop(contact.big) }}{% endfor %}",
    "tilde": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "plus": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "list plus": "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
    "lists in lists": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a | string }}",
    "tuples in tuples": "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 60 + "{{ a in [a] }}",
    "maps in maps": "{% set a = {'k': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a | tojson }}",
    "set blocks": "{% set a %}xxxxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a }}",
    "macro without end": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "macro tree": "{% macro f(n) %}{% if n < 40 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}{{ f(1) }}",
    "block in itself": "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "replace": "{{ contact.name | replace('a', contact.long) | replace('a', contact.long) }}",
    "join": "{{ contact.big | join(contact.long) }}",
    "loop of long text": "{% for a in contact.big %}{{ contact.long }}{% endfor %}",
    "round": "{{ 5 | round(-1000000000) }}",
    "many digits": "{{ contact.digits | int }}",
    "long number": "{{ " + "9" * 5000 + " }}",
    "squares": "{% set a = 999999999 %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
    "exponent": "{{ '1e999999999' | money('USD') }}",
    "spoken digits": "{{ contact.digits | spoken_number }}",
    "brackets": "{{ " + "(" * 8000 + "1" + ")" * 8000 + " }}",
    "lists": "{{ " + "[" * 3000 + "]" * 3000 + " }}",
    "nested ifs": "{% if 1 %}" * 300 + "{% endif %}" * 300,
    "nots": "{{ " + "not " * 3000 + "1 }}",
    "dots": "{{ contact" + ".a" * 7000 + " }}",
    "filters": "{{ 'a'" + "|upper" * 2500 + " }}",
    "arguments": "{{ 1 | default(" + ",".join(f"a{i}=1" for i in range(1500)) + ") }}",
    "long source": "a" * 20_000,
    "lipsum": "{{ lipsum(n=100000) }}",
    "include of itself": "{% include 'self.txt' %}",
    "tree of includes": "{% include 'tree1' %}",
    "include in a loop": "{% for a in contact.big %}{% include 'loop.txt' %}{% endfor %}",
    "open tags": "{{" * 8000,
    "pattern": "{{ '2026-01-01' | date('" + "E" * 5000 + "') }}",
}
BOMB_FILES = {
    "self.txt": "{% include 'self.txt' %}",
    "loop.txt": "{% for a in contact.big %}x{% endfor %}",
    **{f"tree{n}": f"{{% include 'tree{n + 1}' %}}" * 2 for n in range(1, 40)},
    "tree40": "x",
}
BOMB_VALUES: Mapping[str, Any] = {
    "contact": {
        "name": "a" * 50,
        "long": "a" * 8000,
        "wide": "%0500000000d",
        "big": [str(n) for n in range(1000)],
        "digits": "9" * 6000,
    }
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name: str) -> None:
    templates = TemplateSet(BOMB_FILES, "en_US")
    spent = []
    for _ in range(2):
        start = time.process_time()
        with pytest.raises((TemplateWrong, RenderFailed)):
            templates.compile(BOMBS[name]).render(BOMB_VALUES)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1
