"""Opt-outs: words and clear sentences in many languages, and ordinary words that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.stop_phrases import COUNTRIES, LANGUAGES
from runner.rules.stop_words import _LONGEST_PHRASE, _speech, is_opt_out, languages_of

STOPS = [
    ("US", "STOP"), ("US", "stop"), ("US", " Stop! "), ("US", "stop."), ("US", "«stop»"), ("US", "ＳＴＯＰ"), ("US", "stop stop"),
    ("US", "Quit"), ("US", "END"), ("US", "revoke"), ("US", "opt out"), ("US", "Opt-out."), ("US", "OPTOUT"),
    ("US", "cancel"), ("US", "Unsubscribe"), ("US", "please cancel"), ("US", "STOPALL"), ("US", "Ok, stop"),
    ("US", "please stop texting me"), ("US", "Stop calling me!!!"), ("US", "stop calling me you idiots"),
    ("US", "Can you please stop texting me?"), ("US", "I want you to stop texting me"), ("US", "Don't text me again"),
    ("US", "Don’t call me"), ("US", "do not contact me"), ("US", "take me off your list"), ("US", "Remove me from this list"),
    ("US", "STOP\nSent from my phone"), ("US", "Wrong person. Stop texting me."), ("US", "I don't want any more texts"),
    ("US", "leave me alone"), ("US", "no more calls please"), ("US", "I would like to opt out of these texts"),
    ("US", "Alto"), ("MX", "BAJA"), ("ES", "no me llamen más"), ("AR", "Por favor, dejen de escribirme"),
    ("FR", "Arrêt"), ("FR", "ARRETEZ de m’appeler svp"), ("CA", "désabonner"), ("BE", "ne me contactez plus"),
    ("DE", "Stopp"), ("AT", "Bitte rufen Sie mich nicht mehr an!"), ("CH", "abmelden"), ("DE", "Keine SMS mehr"),
    ("IT", "basta"), ("IT", "non voglio più ricevere messaggi"), ("PT", "PARAR"), ("BR", "não me ligue mais"),
    ("NL", "afmelden"), ("NL", "Bel mij niet meer"), ("SE", "sluta"), ("SE", "Sluta ringa mig"), ("DK", "afmeld"),
    ("DK", "stop med at ringe til mig"), ("NO", "stopp"), ("NO", "Slutt å ringe meg"), ("FI", "lopeta"),
    ("FI", "Älkää soittako minulle"), ("PL", "rezygnuję"), ("PL", "Proszę nie dzwonić"), ("CZ", "odhlásit"),
    ("RO", "dezabonare"), ("HU", "leiratkozás"), ("TR", "RET"), ("", "arrêtez"), ("GB", "stop"), ("JP", "stop"),
    ("US", "I already told you to stop calling me"), ("US", "I told you to stop"), ("US", "I wish to opt out"),
    ("US", "Wrong number stop calling"), ("US", "take my name off your list"), ("US", "Do not ever call me again"),
    ("US", "quit bugging me"), ("US", "cease and desist"), ("US", "No more."), ("US", "S.T.O.P"), ("US", "s t o p"), ("US", "ST\u200bOP"), ("US", "\u202eSTOP\u202c"), ("US", "STOP️"),
    ("ZA", "Hou op asseblief"), ("ZA", "Moenie my bel nie!"), ("MY", "Tolong jangan telefon saya lagi"), ("SG", "berhenti"),
    ("SG", "退订"), ("CN", "请不要再打给我了。谢谢"), ("TW", "取消訂閱"), ("HK", "TD"), ("JP", "配信停止"), ("CN", "别再骚扰我"), ("JP", "もう電話をかけないでくださいね"),
    ("JP", "もう電話しないでください。"), ("KR", "수신거부"), ("KR", "전화하지 마세요!"), ("AE", "إيقاف"), ("AE", "ايقاف"),
    ("SA", "من فضلك لا تتصلوا بي مرة أخرى"), ("EG", "توقفوا عن الاتصال"), ("MA", "Désabonner"), ("IN", "बंद करो"),
    ("IN", "Mujhe call mat karo yaar"), ("IN", "कृपया मुझे कॉल मत करना"), ("IN", "stop calling me"),
]  # fmt: skip

ORDINARY = [
    ("US", "bus stop"), ("US", "I'm at the bus stop"), ("US", "please stop by tomorrow"), ("US", "don't stop"),
    ("US", "I don't want you to stop texting me"), ("US", "nonstop"), ("US", "stopwatch"), ("US", "the end"),
    ("US", "cancel my appointment on Monday"), ("US", "Yes, cancel"), ("US", "I quit my job"), ("US", "weekend"),
    ("US", "stop calling me at work"), ("US", "Stop texting me if I am late"), ("US", "why did you stop texting me"),
    ("US", "I will stop at the shop"), ("US", "can you stop by"), ("US", ""), ("US", "   "), ("US", "👍"), ("US", "yes"),
    ("US", "Do not call me before 9"), ("US", "remove the item from my order"), ("US", "non stop"), ("US", "no"),
    ("FR", "à l’arrêt de bus"), ("FR", "en fin de semaine"), ("DE", "Ende gut, alles gut"), ("DE", "am Ende der Woche"),
    ("SE", "vi ses vid busstoppen"), ("IT", "va bene"), ("ES", "alto nivel"), ("ES", "Voy a la parada"), ("GB", "fin"),
    ("US", "slut"), ("GB", "basta"), ("PL", "na koniec dnia"), ("PT", "quero cancelar a consulta"), ("NL", "bushalte"),
    ("US", "stop if you like it or not"), ("ZA", "Moenie my bel voor nege nie"), ("MY", "jangan telefon saya sebelum 9"),
    ("SG", "停车场在哪里"), ("JP", "バス停で待っています"), ("JP", "はい、お願いします"), ("KR", "네 감사합니다"), ("KR", "버스 정류장"),
    ("AE", "لا تتصل بي قبل التاسعة"), ("AE", "نعم شكرا"), ("IN", "haan ji"), ("IN", "दुकान बंद है"), ("IN", "kal call karo"),
    ("US", "I told you to stop by"), ("US", "wrong number"), ("US", "no more than two"), ("US", "how do I stop by bus"),
    ("US", "a b c"), ("US", "停止"), ("GB", "td"),
]  # fmt: skip


@pytest.mark.parametrize(("region", "text"), STOPS)
def test_a_person_who_wants_no_more_is_heard(region: str, text: str) -> None:
    assert is_opt_out(text, languages_of(region))


@pytest.mark.parametrize(("region", "text"), ORDINARY)
def test_ordinary_words_are_no_opt_out(region: str, text: str) -> None:
    assert not is_opt_out(text, languages_of(region))


PHRASES = [(language, phrase) for language, spoken in LANGUAGES.items() for phrase in (*spoken.weak, *spoken.strong)]
CLEAR = [(language, phrase) for language, spoken in LANGUAGES.items() for phrase in (*spoken.strong, *spoken.clear)]
PUNCTUATION = st.text(st.sampled_from(" .!?…\t\n-*\"'«»()"), max_size=5)


@given(st.sampled_from(PHRASES), PUNCTUATION, PUNCTUATION, st.sampled_from([str.upper, str.lower, str.title]))
def test_every_word_counts_in_any_case_and_punctuation(
    said: tuple[str, str], before: str, after: str, case: object
) -> None:
    language, phrase = said
    assert is_opt_out(f"{before}{case(phrase)}{after}", {language})  # type: ignore[operator]


@given(st.sampled_from(CLEAR), st.sampled_from(["Hello. ", "Who is this?\n", "No! ", "Wrong number; "]))
def test_a_clear_sentence_counts_beside_others(said: tuple[str, str], before: str) -> None:
    language, phrase = said
    assert is_opt_out(before + phrase + ".", {language, "en"})


@given(
    st.sampled_from(PHRASES),
    st.sampled_from(["bus", "wheel", "my son", "7", "zebra"]),
    st.sampled_from(["tomorrow at nine", "zebra", "4 pm", "and my brother"]),
)
def test_no_word_counts_inside_a_longer_sentence(said: tuple[str, str], before: str, after: str) -> None:
    language, phrase = said
    assert not is_opt_out(f"{before} {phrase} {after}", {language})


@given(
    st.sampled_from([(one, word) for one, word in PHRASES if " " not in word and not LANGUAGES[one].glued]),
    st.text("abcxyz", min_size=1),
)
def test_no_word_counts_inside_another_word(said: tuple[str, str], more: str) -> None:
    language, phrase = said
    words = {other for one in LANGUAGES.values() for other in (*one.weak, *one.strong)}
    for word in (phrase + more, more + phrase):
        assert word in words or not is_opt_out(word, {language})


@given(st.text(max_size=3_000), st.sampled_from(["", "US", "FR", "XX"]))
def test_no_text_breaks_it(text: str, region: str) -> None:
    assert is_opt_out(text, languages_of(region)) in {True, False}


def test_polite_words_are_no_opt_out_and_every_phrase_can_be_said() -> None:
    for language, spoken in LANGUAGES.items():
        assert spoken.weak
        assert spoken.strong
        for phrase in spoken.polite:
            assert not is_opt_out(phrase, {language}), phrase


def test_languages_follow_the_country_and_the_campaign() -> None:
    assert languages_of("FR") == {"en", "fr"}
    assert languages_of("be") == {"en", "nl", "fr", "de"}
    assert languages_of("GB", "de_DE", "xx_XX") == {"en", "de"}
    assert languages_of("") == set(LANGUAGES)
    assert languages_of("001") == set(LANGUAGES)
    assert {language for spoken in COUNTRIES.values() for language in spoken} <= set(LANGUAGES)


def test_no_phrase_is_longer_than_what_is_compared() -> None:
    longest = max(len(phrase) for one in LANGUAGES for phrase in (*_speech(frozenset({one})).whole,))
    assert longest <= _LONGEST_PHRASE
