"""The words with which people ask to be left alone, language by language, and where each language is spoken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One language's phrases; accents, case and apostrophes do not count."""

    weak: tuple[str, ...]
    """an opt-out as the whole message alone, since a sentence may mean something else by it"""
    strong: tuple[str, ...]
    """an opt-out as a sentence of its own, too"""
    clear: tuple[str, ...] = ()
    """an opt-out wherever a sentence opens with it"""
    glued: tuple[str, ...] = ()
    """the same, in a script that puts no blanks between words"""
    polite: tuple[str, ...] = ()
    """words that may stand before and behind"""
    asking: tuple[str, ...] = ()
    """words that may stand before what is asked for"""
    limits: tuple[str, ...] = ()
    """words that narrow what stands before them, so that it is no opt-out"""


def _pairs(firsts: str, seconds: str) -> tuple[str, ...]:
    """Give every first with every second; both are lists with commas."""
    return tuple(f"{one.strip()} {other.strip()}" for one in firsts.split(",") for other in seconds.split(","))


def _glued(firsts: str, seconds: str) -> tuple[str, ...]:
    """Give the same without the blank."""
    return tuple(pair.replace(" ", "") for pair in _pairs(firsts, seconds))


_ENGLISH_DEED = "texting, calling, phoning, messaging, contacting, bothering, bugging, harassing, spamming"

LANGUAGES: Mapping[str, Spoken] = {
    "en": Spoken(
        weak=("end", "quit", "revoke", "cancel", "remove", "arret", "stop all", "no more", "stopp"),
        strong=(
            "stop", "stopall", "unsubscribe", "unsub", "opt out", "optout", "opt me out", "unsubscribe me", "remove me",
            "leave me alone", "no more texts", "no more calls", "no more messages", "do not call", "do not text",
            "dont call", "dont text", *_pairs("stop, quit", _ENGLISH_DEED), "stop it", "stop this",
        ),
        clear=(
            *_pairs(f"stop {', stop '.join(_ENGLISH_DEED.split(', '))}", "me, us, this number, my number, my phone"),
            *_pairs(f"quit {', quit '.join(_ENGLISH_DEED.split(', '))}", "me, us, this number"),
            *_pairs("stop sending, quit sending", "me, us, these, texts, messages, this, sms"),
            *_pairs("do not, dont, never", "call me, text me, contact me, message me, phone me, call this number"),
            *_pairs("do not ever, dont ever, never ever", "call me, text me, contact me, message me"),
            *_pairs("do not, dont, never", "text this number, contact this number, call us, text us, contact us"),
            *_pairs("take me off, remove me from, remove my number from, take my number off", "your, this, the list"),
            "opt me out of", "opt out of", "unsubscribe me from", "remove my number", "delete my number",
            "lose my number", "take my name off", "cease and desist", "cease all contact", "i do not want any more", "i dont want any more", "no more texts to", "no more calls to",
            "stop the texts", "stop the calls", "stop the messages", "stop these", "stop all texts", "stop all calls",
            "stop all messages",
        ),
        polite=("please", "pls", "plz", "thanks", "thank you", "thx", "ok", "okay", "hi", "hello", "hey", "now", "just",
                "sir", "madam", "immediately", "asap"),
        asking=("can you", "could you", "would you", "will you", "i want", "i would like", "id like", "i need", "you to",
                "kindly", "and", "so", "no",
                "i told you", "already", "i wish", "wrong number"),
        limits=("if", "unless", "until", "till", "before", "after", "when", "while", "at", "on", "during", "so",
                "every", "in", "or", "yet"),
    ),
    "es": Spoken(
        weak=("alto", "baja", "fin", "cancelar", "salir", "detener", "parar", "cancela"),
        strong=(
            "pare", "paren", "darme de baja", "dame de baja", "deme de baja", "denme de baja", "no mas", "no mas mensajes",
            "no mas llamadas", "dejenme en paz", "dejeme en paz", "no llamar", "no me llamen", "no me llame",
        ),
        clear=(
            *_pairs("no me", "llamen, llame, llames, escriban, escriba, escribas, contacten, contacte"),
            *_pairs("no me", "manden, mande, mandes, envien, envie, envies"),
            *_pairs("dejen de, deje de, deja de", "llamarme, escribirme, contactarme, molestarme, mandarme, enviarme"),
            "no quiero recibir", "no quiero mas", "ya no quiero recibir", "quiero darme de baja", "borren mi numero",
            "borre mi numero", "eliminen mi numero", "quitenme de la lista", "denme de baja", "dame de baja",
        ),
        polite=("por favor", "gracias", "hola", "ya", "porfa", "favor"),
        asking=("quiero", "que", "puede", "pueden", "podria", "podrian"),
        limits=("si", "hasta", "cuando", "antes", "despues", "las", "en", "mientras", "hoy", "manana"),
    ),
    "fr": Spoken(
        weak=("fin", "annuler", "quitter", "resilier", "supprimer"),
        strong=(
            "arret", "arreter", "arretez", "arrete", "desabonner", "desabonnement", "desinscription", "desinscrire",
            "desinscrivez moi", "desabonnez moi", "me desabonner", "me desinscrire", "laissez moi tranquille",
            "plus de messages", "plus de sms", "plus dappels", "ne plus me contacter", "ne plus mappeler",
        ),
        clear=(
            *_pairs("arretez de, arrete de, cessez de", "mappeler, mecrire, me contacter, menvoyer, me deranger"),
            "ne mappelez plus", "ne mecrivez plus", "ne me contactez plus", "ne menvoyez plus", "ne mappelle plus",
            "ne mappelez pas", "ne me contactez pas", "je ne veux plus recevoir", "je ne veux plus etre",
            "je veux me desabonner", "je souhaite me desabonner", "je souhaite me desinscrire", "retirez moi de",
            "supprimez mon numero", "retirez mon numero", "enlevez moi de",
        ),
        polite=("merci", "svp", "stp", "sil vous plait", "sil te plait", "bonjour", "de"),
        asking=("pouvez vous", "veuillez", "je veux", "que vous"),
        limits=("si", "avant", "apres", "quand", "pendant", "jusqua", "a", "au", "le", "aujourdhui", "demain"),
    ),
    "de": Spoken(
        weak=("ende", "beenden", "abbruch", "kundigen", "stornieren", "aus"),
        strong=(
            "stopp", "abmelden", "abmeldung", "abbestellen", "austragen", "aufhoren", "keine sms mehr",
            "keine nachrichten mehr", "keine anrufe mehr", "nicht mehr anrufen", "nicht mehr schreiben",
            "nicht mehr kontaktieren", "lassen sie mich in ruhe", "lasst mich in ruhe", "lass mich in ruhe",
            "horen sie auf", "hort auf", "hor auf",
        ),
        clear=(
            *_pairs("rufen sie, ruft, ruf", "mich nicht mehr an, mich bitte nicht mehr an, mich nie wieder an"),
            *_pairs("schreiben sie, schreibt, schreib", "mir nicht mehr, mir bitte nicht mehr"),
            *_pairs("kontaktieren sie, kontaktiert", "mich nicht mehr, mich bitte nicht mehr"),
            "horen sie auf mich", "horen sie auf mir", "melden sie mich ab", "nehmen sie mich aus", "tragen sie mich aus",
            "loschen sie meine nummer", "ich mochte keine", "ich will keine", "mochte mich abmelden",
            "ich mochte mich abmelden",
        ),
        polite=("bitte", "danke", "hallo", "sofort", "guten tag"),
        asking=("ich mochte", "konnen sie", "wurden sie"),
        limits=("wenn", "falls", "bis", "vor", "nach", "wahrend", "um", "am", "heute", "morgen", "sondern"),
    ),
    "it": Spoken(
        weak=("fine", "annulla", "cancella", "esci", "termina"),
        strong=(
            "basta", "disiscrivi", "disiscrivimi", "disiscrizione", "cancellatemi", "cancellami", "rimuovimi", "smettetela",
            "lasciatemi in pace", "non chiamatemi", "non chiamatemi piu", "non contattatemi", "basta messaggi",
            "basta chiamate",
        ),
        clear=(
            *_pairs("non", "chiamatemi piu, contattatemi piu, scrivetemi piu, mi chiamate piu, mi scrivete piu"),
            *_pairs("non", "mi chiami piu, mi contatti piu, mi mandate piu, mi contattate piu"),
            *_pairs("smettete di, smettetela di, smetta di", "chiamarmi, scrivermi, contattarmi, mandarmi, disturbarmi"),
            "non voglio piu ricevere", "non desidero piu ricevere", "cancellate il mio numero", "toglietemi dalla lista",
        ),
        polite=("per favore", "grazie", "prego", "ciao", "subito", "salve"),
        asking=("voglio", "vorrei", "potete", "puo"),
        limits=("se", "fino", "prima", "dopo", "quando", "mentre", "alle", "oggi", "domani"),
    ),
    "pt": Spoken(
        weak=("fim", "sair", "cancelar", "remover", "parar", "encerrar"),
        strong=(
            "pare", "parem", "descadastrar", "me descadastre", "nao me ligue", "nao me liguem", "nao me ligue mais",
            "me deixe em paz", "me deixem em paz", "chega de mensagens", "nao ligar",
        ),
        clear=(
            *_pairs("nao me", "ligue mais, liguem mais, contate mais, contatem mais, envie mais, enviem mais"),
            *_pairs("nao me", "mande mais, mandem mais, contacte mais, contactem mais, escrevam mais"),
            *_pairs("pare de, parem de, deixem de", "me ligar, ligar, me enviar, me mandar, enviar, mandar, me contatar"),
            "nao quero receber", "nao quero mais", "remova meu numero", "removam meu numero", "retire meu numero",
            "remova o meu numero", "quero me descadastrar",
        ),
        polite=("por favor", "obrigado", "obrigada", "ola", "oi", "ja", "favor"),
        asking=("quero", "que", "podem", "pode", "poderia"),
        limits=("se", "ate", "antes", "depois", "quando", "enquanto", "as", "hoje", "amanha"),
    ),
    "nl": Spoken(
        weak=("einde", "annuleren", "opzeggen", "beeindigen"),
        strong=(
            "afmelden", "uitschrijven", "stoppen", "meld mij af", "meld me af", "schrijf mij uit", "schrijf me uit",
            "geen berichten meer", "geen sms meer", "niet meer bellen", "niet bellen", "laat me met rust",
        ),
        clear=(
            *_pairs("stop met, stoppen met", "bellen, smsen, mij, me, berichten, sturen, appen"),
            *_pairs("bel, app, sms", "mij niet meer, me niet meer"),
            "stuur mij geen", "stuur me geen", "neem geen contact meer", "ik wil geen berichten", "verwijder mijn nummer",
            "haal mij van", "haal me van", "ik wil mij afmelden", "ik wil me afmelden",
        ),
        polite=("aub", "alsjeblieft", "alstublieft", "bedankt", "dank u", "hallo", "nu", "graag"),
        asking=("wilt u", "kunt u", "ik wil", "wil je", "kun je"),
        limits=("als", "tot", "voor", "na", "tijdens", "om", "vandaag", "morgen", "wanneer"),
    ),
    "sv": Spoken(
        weak=("slut", "avbryt", "avsluta"),
        strong=(
            "stopp", "stoppa", "sluta", "avregistrera", "avanmal", "avanmalan", "inga fler sms", "inga fler meddelanden",
            "ring inte", "lamna mig ifred", "lat mig vara",
        ),
        clear=(
            *_pairs("sluta", "ringa, smsa, kontakta, skicka, messa, hora av er"),
            *_pairs("ring, kontakta", "mig inte, inte mig, inte mer, inte igen"),
            "skicka inga fler", "skicka inte fler", "ta bort mitt nummer", "ta bort mig fran", "jag vill inte ha fler",
            "ring mig aldrig",
        ),
        polite=("tack", "snalla", "hej", "nu", "vanligen"),
        asking=("kan ni", "kan du", "jag vill att ni"),
        limits=("om", "innan", "efter", "nar", "medan", "pa", "tills", "idag", "imorgon"),
    ),
    "da": Spoken(
        weak=("slut", "afslut", "annuller"),
        strong=("stop", "afmeld", "frameld", "afmeld mig", "frameld mig", "ikke flere sms", "ikke flere beskeder",
                "lad mig vaere", "ring ikke"),
        clear=(
            *_pairs("stop med at", "ringe, skrive, sende, sms e, kontakte, forstyrre"),
            *_pairs("ring ikke, skriv ikke, kontakt mig ikke, send ikke", "til mig, mere, igen, flere"),
            "slet mit nummer", "fjern mit nummer", "jeg vil ikke have flere", "jeg onsker ikke flere",
        ),
        polite=("tak", "venligst", "hej", "nu"),
        asking=("kan i", "vil i"),
        limits=("hvis", "for", "efter", "nar", "mens", "indtil", "pa"),
    ),
    "no": Spoken(
        weak=("slutt", "avslutt", "avbryt"),
        strong=("stopp", "avmeld", "meld meg av", "avmelding", "ikke flere sms", "ikke flere meldinger", "la meg vaere",
                "ikke ring"),
        clear=(
            *_pairs("slutt a, slutte a", "ringe, sende, kontakte, skrive, mase"),
            *_pairs("ikke ring, ikke kontakt, ikke send, ikke skriv", "meg, til meg, mer, flere"),
            "slett nummeret mitt", "fjern nummeret mitt", "jeg vil ikke ha flere", "jeg onsker ikke flere",
        ),
        polite=("takk", "vennligst", "hei", "na"),
        asking=("kan dere", "kan du"),
        limits=("hvis", "for", "etter", "nar", "mens", "pa"),
    ),
    "fi": Spoken(
        weak=("loppu", "peru", "peruuta"),
        strong=("seis", "lopeta", "lopettakaa", "poista", "peru tilaus", "ei enaa viesteja", "ala soita", "alkaa soittako",
                "jattakaa minut rauhaan"),
        clear=(
            *_pairs("lopeta, lopettakaa", "soittelu, soittaminen, viestien, viestit, hairinta"),
            "ala soita", "alkaa soittako", "alkaa lahettako", "ala laheta", "alkaa ottako yhteytta", "poista numeroni",
            "poistakaa numeroni", "en halua enaa", "en halua viesteja",
        ),
        polite=("kiitos", "hei", "nyt", "olkaa hyva"),
        limits=("jos", "ennen", "kun", "kunnes", "tanaan", "huomenna"),
    ),
    "pl": Spoken(
        weak=("koniec", "anuluj", "zakoncz"),
        strong=("wypisz", "wypisz mnie", "rezygnuje", "wypisuje sie", "usun moj numer", "nie dzwonic", "nie dzwoncie",
                "przestancie", "dajcie mi spokoj", "nie pisac"),
        clear=(
            *_pairs("nie", "dzwoncie do mnie, dzwon do mnie, piszcie do mnie, kontaktujcie sie, wysylajcie mi"),
            *_pairs("prosze nie", "dzwonic, pisac, wysylac, kontaktowac"),
            *_pairs("przestancie, przestan", "dzwonic, pisac, wysylac"),
            "wypiszcie mnie", "usuncie moj numer", "prosze usunac moj numer", "nie chce otrzymywac", "nie chce wiecej",
        ),
        polite=("prosze", "dziekuje", "dzieki", "czesc", "juz"),
        limits=("jesli", "jezeli", "przed", "po", "kiedy", "dopoki", "dzis", "jutro", "w", "o"),
    ),
    "cs": Spoken(
        weak=("konec", "zrusit"),
        strong=("odhlasit", "odhlaste me", "nevolejte", "nepiste", "nevolejte mi", "nepiste mi", "odhlasit odber"),
        clear=("nevolejte mi", "nepiste mi", "neposilejte mi", "nekontaktujte me", "prestante volat", "prestante psat",
               "smazte moje cislo", "vymazte moje cislo", "nechci dostavat"),
        polite=("prosim", "dekuji", "diky"),
        limits=("pokud", "kdyz", "pred", "po", "az", "dnes", "zitra"),
    ),
    "ro": Spoken(
        weak=("sfarsit", "anulare", "anuleaza"),
        strong=("dezabonare", "dezabonati ma", "opriti", "nu ma mai sunati", "lasati ma in pace"),
        clear=("nu ma mai sunati", "nu ma mai contactati", "nu imi mai scrieti", "nu mi mai trimiteti",
               "stergeti numarul meu", "nu mai vreau"),
        polite=("va rog", "multumesc", "te rog"),
        limits=("daca", "pana", "inainte", "dupa", "cand", "azi", "maine"),
    ),
    "hu": Spoken(
        weak=("vege", "torles"),
        strong=("leiratkozas", "leiratkozom", "leallitas", "ne hivjanak", "ne irjanak", "hagyjanak beken"),
        clear=("ne hivjanak", "ne irjanak", "ne keressenek", "ne kuldjenek", "toroljek a szamomat"),
        polite=("kerem", "koszonom", "kerlek"),
        limits=("ha", "amig", "elott", "utan", "ma", "holnap"),
    ),
    "tr": Spoken(
        weak=("dur", "son", "iptal"),
        strong=("ret", "durdur", "aramayin", "beni aramayin", "mesaj atmayin", "abonelikten cik"),
        clear=("beni aramayin", "bana mesaj atmayin", "bana yazmayin", "numarami silin", "mesaj gondermeyin"),
        polite=("lutfen", "tesekkurler", "merhaba"),
        limits=("eger", "kadar", "once", "sonra", "bugun", "yarin"),
    ),
    "af": Spoken(
        weak=("einde", "kanselleer"),
        strong=("hou op", "los my uit", "moenie bel nie", "moenie my bel nie", "moenie my kontak nie"),
        clear=("hou op om my", "moenie my bel", "moenie my kontak", "moenie vir my", "verwyder my nommer"),
        polite=("asseblief", "dankie", "hallo"),
        limits=("voor", "na", "as", "wanneer", "tot", "more", "vandag", "nie voor", "nie na", "nie as"),
    ),
    "ms": Spoken(
        weak=("henti", "batal", "tamat"),
        strong=("berhenti", "hentikan", "nyahlanggan", "batal langganan", "jangan hubungi", "jangan telefon",
                "jangan hubungi saya", "jangan telefon saya", "jangan mesej saya"),
        clear=("jangan hubungi saya", "jangan telefon saya", "jangan mesej saya", "berhenti menghubungi",
               "berhenti menelefon", "padam nombor saya"),
        polite=("tolong", "sila", "terima kasih", "hai"),
        limits=("jika", "kalau", "sebelum", "selepas", "esok", "hari", "pada", "semasa"),
    ),
    "hi": Spoken(
        weak=("बंद", "रोको", "रोकें", "roko"),
        strong=(
            "बंद करो", "बंद करें", "बंद कीजिए", "band karo", "bandh karo", "band karein", "band kijiye",
            *_pairs("कॉल मत, फोन मत, मैसेज मत", "करो, करें, कीजिए, भेजो"),
            *_pairs("call mat, phone mat, message mat, msg mat", "karo, karna, kijiye, bhejo"),
            "mat bhejo", "pareshan mat karo",
        ),
        clear=("mujhe call mat", "mujhe phone mat", "mujhe message mat", "मुझे कॉल मत", "मुझे फोन मत", "मुझे मैसेज मत",
               "mera number hatao", "mera number delete", "मेरा नंबर हटाओ"),
        polite=("please", "plz", "kripya", "कृपया", "धन्यवाद", "namaste", "ji"),
    ),
    "ar": Spoken(
        weak=("إلغاء", "إيقاف", "توقف", "قف", "خروج"),
        strong=("إلغاء الاشتراك", "لا تتصل", "لا تتصلوا", "لا تتصل بي", "لا تتصلوا بي", "لا ترسل", "لا ترسلوا", "توقفوا"),
        clear=(
            *_pairs("لا", "تتصل بي, تتصلوا بي, ترسل لي, ترسلوا لي, تراسلني, تراسلوني"),
            *_pairs("توقف عن, توقفوا عن", "الاتصال, إرسال, مراسلتي, إزعاجي"),
            "احذف رقمي", "احذفوا رقمي", "لا أريد المزيد",
        ),
        polite=("من فضلك", "شكرا", "مرحبا", "رجاء"),
        limits=("قبل", "بعد", "إذا", "حتى", "في", "عندما", "غدا", "اليوم"),
    ),
    "ja": Spoken(
        weak=("停止", "解除", "中止", "終了", "ストップ"),
        strong=(
            "配信停止", "配信解除", "配信停止希望", "退会", "停止してください", "配信停止してください", "配信を停止してください",
            "停止お願いします", "配信停止お願いします", "配信停止をお願いします", "やめてください", "もうやめてください",
            "電話しないで", "電話しないでください", "もう電話しないでください", "連絡しないで", "連絡しないでください",
            "もう連絡しないでください", "メールしないでください", "送らないでください", "もう送らないでください",
        ),
        glued=("電話しないで", "もう電話しないで", "電話をかけないで", "もう電話をかけないで", "連絡しないで", "もう連絡しないで",
               "もう送らないで", "メールを送らないで", "配信停止", "配信を停止して", "番号を削除して"),
        polite=("お願いします", "ありがとう", "すみません", "こんにちは"),
    ),
    "zh": Spoken(
        weak=("停止", "停", "取消", "退出", "td"),
        strong=(
            "退订", "退訂", "td退订", "取消订阅", "取消訂閱", "拒收", "停止发送", "停止發送", "不要再打", "不要再打了", "别再打了",
            "不要再打电话", "不要再打电话了", "不要再打給我", "不要再打给我", "不要再打给我了", "别再打给我", "别再打电话了",
            "不要再发", "不要再发了", "不要再发短信", "不要再发短信了", "不要再联系我", "别再联系我", "不要再聯絡我", "別再聯絡我",
        ),
        glued=_glued("不要再, 别再, 別再, 请不要再, 请别再, 請不要再, 請別再", "打, 给我打, 給我打, 发, 發, 联系, 聯絡, 聯繫, 骚扰"),
        polite=("谢谢", "謝謝", "请", "請", "你好", "您好"),
    ),
    "ko": Spoken(
        weak=("중지", "정지", "취소", "그만"),
        strong=("수신거부", "수신 거부", "수신거부합니다", "해지", "그만하세요", "그만해주세요", "전화하지 마세요", "전화하지마세요",
                "연락하지 마세요", "연락하지마세요", "문자 보내지 마세요", "보내지 마세요", "더 이상 연락하지 마세요"),
        polite=("제발", "감사합니다", "안녕하세요"),
    ),
}  # fmt: skip
"""language -> how people opt out in it"""

COUNTRIES: Mapping[str, tuple[str, ...]] = {
    "US": ("es",), "CA": ("fr",), "PR": ("es",), "GB": (), "IE": (), "AU": (), "NZ": (), "ZA": ("af",), "IN": ("hi",),
    "SG": ("zh", "ms"), "MY": ("ms", "zh"), "BN": ("ms",), "CN": ("zh",), "TW": ("zh",), "HK": ("zh",), "MO": ("zh", "pt"),
    "JP": ("ja",), "KR": ("ko",), "AE": ("ar",), "SA": ("ar",), "QA": ("ar",), "KW": ("ar",), "BH": ("ar",), "OM": ("ar",),
    "JO": ("ar",), "LB": ("ar", "fr"), "EG": ("ar",), "MA": ("ar", "fr"), "TN": ("ar", "fr"), "DZ": ("ar", "fr"),
    "FR": ("fr",), "MC": ("fr",), "BE": ("nl", "fr", "de"), "LU": ("fr", "de"), "CH": ("de", "fr", "it"),
    "DE": ("de",), "AT": ("de",), "LI": ("de",), "IT": ("it",), "SM": ("it",), "VA": ("it",), "MT": ("it",),
    "ES": ("es",), "AD": ("es", "fr"), "MX": ("es",), "AR": ("es",), "BO": ("es",), "CL": ("es",), "CO": ("es",),
    "CR": ("es",), "CU": ("es",), "DO": ("es",), "EC": ("es",), "GT": ("es",), "HN": ("es",), "NI": ("es",),
    "PA": ("es",), "PE": ("es",), "PY": ("es",), "SV": ("es",), "UY": ("es",), "VE": ("es",),
    "PT": ("pt",), "BR": ("pt",), "AO": ("pt",), "MZ": ("pt",), "NL": ("nl",), "SR": ("nl",),
    "SE": ("sv",), "DK": ("da",), "GL": ("da",), "FO": ("da",), "NO": ("no",), "FI": ("fi", "sv"), "AX": ("sv",),
    "PL": ("pl",), "CZ": ("cs",), "SK": ("cs",), "RO": ("ro",), "MD": ("ro",), "HU": ("hu",), "TR": ("tr",),
}  # fmt: skip
"""country -> the languages besides English in which its people opt out"""
