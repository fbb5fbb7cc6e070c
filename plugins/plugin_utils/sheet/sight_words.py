# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The words of the sheet for what was seen of a mail server, by language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIGHT_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "port": "port {port}",
        "reached": "reachable from this controller",
        "not_reached": "not reached from this controller",
        "implicit": "implicit TLS",
        "until": "certificate valid until {day}",
        "size": "messages up to {size} bytes",
        "fail": "The ERP cannot send so:",
        "unknown": "Not certain:",
        "warning": "Could be better:",
        "elsewhere_title": "The mail server, seen from {system}",
        "elsewhere": "What stands above of the mail server was seen from this controller. {system} sends from another "
        "place{place}, where nobody has looked. Run one of these there:",
    },
    "nl": {
        "port": "poort {port}",
        "reached": "bereikbaar vanaf deze controller",
        "not_reached": "niet bereikt vanaf deze controller",
        "implicit": "impliciete TLS",
        "until": "certificaat geldig tot en met {day}",
        "size": "berichten tot {size} bytes",
        "fail": "Zo kan het ERP niet versturen:",
        "unknown": "Niet zeker:",
        "warning": "Kan beter:",
        "elsewhere_title": "De mailserver, gezien vanaf {system}",
        "elsewhere": "Wat hierboven van de mailserver staat, is gezien vanaf deze controller. {system} verstuurt "
        "vanaf een andere plaats{place}, waar niemand heeft gekeken. Voer een van deze opdrachten daar uit:",
    },
}

DUTCH_FINDINGS: dict[str, str] = {
    "no_address": "de naam heeft geen adres. Verbeter de naam in het ERP, of publiceer het adres.",
    "address_unknown": "het adres was niet op te vragen. Kijk later opnieuw, en ga de resolver na.",
    "connection_refused": "de verbinding wordt geweigerd. Ga de poort, de dienst en de firewalls na.",
    "unreachable": "er is geen weg naar de server. Ga het netwerk en de firewalls na.",
    "no_connection": "er kwam op tijd geen verbinding. Ga de firewalls na.",
    "no_banner": "de server noemde zich niet op tijd. Geef meer tijd, en ga na waarop de server wacht.",
    "no_answer": "de server antwoordde niet op tijd. Geef meer tijd, en ga na waarop de server wacht.",
    "slow_banner": "de server noemt zich laat, zodat een ERP het kan opgeven. Ga na waarop de server wacht.",
    "busy": "de server heeft het druk, of wil nu geen verbindingen meer. Kijk later opnieuw.",
    "client_refused": "de server bedient deze afzender niet. Vraag de beheerder welke adressen hij bedient.",
    "dropped": "de server verbrak de verbinding. Kijk later opnieuw, en in het logboek van de server.",
    "not_smtp": "wat daar antwoordt is geen mailserver. Ga de poort na.",
    "endless_answer": "het antwoord van de server houdt niet op. Ga de poort na, en wat ertussen staat.",
    "ehlo_refused": "de server weigert de naam van deze controller. Vraag de beheerder welke naam hij aanneemt.",
    "no_esmtp": "de server kent EHLO niet, en heeft dus geen STARTTLS en geen AUTH. Gebruik een andere server.",
    "other_security": "deze poort heeft de andere soort TLS. Kies in het ERP die soort, of de andere poort.",
    "starttls_missing": "de server biedt geen STARTTLS aan. Zet het daar aan, of gebruik impliciete TLS.",
    "starttls_stripped": "iets onderweg wist STARTTLS uit. Zet de inspectie van SMTP in de firewall uit.",
    "starttls_refused": "de server biedt STARTTLS aan en weigert het dan. Ga zijn certificaat en sleutel na.",
    "bytes_before_tls": "er kwam onversleutelde tekst vlak voor TLS. Ga na wat ertussen staat; verstuur zolang niets.",
    "tls_failed": "TLS komt niet tot stand. Kijk in het logboek van de server.",
    "tls_dropped": "de server verbreekt de verbinding als TLS begint. Kijk in het logboek van de server.",
    "tls_endless": "het begin van TLS houdt niet op. Kijk in het logboek van de server.",
    "tls_too_new": "de server neemt alleen nieuwere TLS aan dan het ERP spreekt. Laat de server ook oudere aannemen.",
    "tls_reach_unknown": "of de server TLS aanneemt zoals het ERP het spreekt, was niet te zien. Kijk later opnieuw.",
    "tls_outdated": "de server neemt alleen verouderde TLS aan. Laat hem TLS 1.2 en 1.3 aannemen.",
    "tls_also_old": "de server neemt ook verouderde TLS aan. Zet die daar uit.",
    "tls_weak": "een programma van nu kan geen TLS opzetten, een ouder wel. Geef de server een sterkere sleutel.",
    "tls_not_used": "het ERP verstuurt onversleuteld, terwijl de server STARTTLS aanbiedt. Kies TLS in het ERP.",
    "certificate_expired": "het certificaat is verlopen. Vernieuw het.",
    "certificate_not_yet_valid": "het certificaat is nog niet geldig. Ga de klokken na, of zet het vorige terug.",
    "certificate_ends_soon": "het certificaat had al vernieuwd moeten zijn. Vernieuw het.",
    "certificate_wrong_name": "het certificaat is niet voor deze naam. Gebruik een naam uit het certificaat.",
    "certificate_name_in_cn": "de naam staat alleen als common name in het certificaat. Zet hem ook in de SAN.",
    "certificate_self_signed": "achter het certificaat staat geen autoriteit. Gebruik er een van een autoriteit.",
    "certificate_untrusted": "de autoriteit achter het certificaat wordt hier niet vertrouwd. Laat de server de hele "
    "keten meesturen, of vertrouw de autoriteit.",
    "certificate_weak": "de sleutel of handtekening van het certificaat is te zwak. Vernieuw het.",
    "chain_dates": "een certificaat erboven is verlopen of nog niet geldig. Vernieuw de keten.",
    "certificate_trust_unknown": "deze controller kent geen autoriteiten om het certificaat mee na te gaan. "
    "Installeer ca-certificates, of geef een eigen bestand.",
    "certificate_unreadable": "er is geen certificaat, of het is niet te lezen. Zet er een gewoon certificaat op.",
    "auth_missing": "het ERP meldt zich aan, en de server biedt AUTH niet aan. Zet het aan, of meld niet aan.",
    "mechanism_missing": "de server biedt de manier van aanmelden van het ERP niet aan. Zet die daar aan.",
    "auth_only_after_tls": "de server biedt AUTH alleen na TLS aan, en het ERP gebruikt geen TLS. Kies TLS in het ERP.",
    "auth_in_clear": "de server neemt wachtwoorden onversleuteld aan. Laat hem AUTH alleen na TLS aanbieden.",
    "size_too_small": "de server neemt kleinere berichten aan dan het ERP mag versturen. Maak een van beide gelijk.",
    "size_unknown": "de server noemt zijn grootste bericht niet. Vraag het na, of verstuur zo een bericht.",
    "not_looked": "vanaf de controller kon niemand kijken. Het verslag van de run zegt waarom.",
}
"""What each finding of ``smtp_probe`` means and what to do, for a Dutch sheet; what was seen stands before it."""


def finding_words(finding: Mapping[str, Any], language: str) -> str:
    """A finding and its next step as a sheet tells them.

    :param finding: as ``smtp_probe`` returns it
    :param language: a key of :data:`SIGHT_WORDS`
    """
    own = DUTCH_FINDINGS.get(finding["name"]) if language == "nl" else None
    return own or f"{finding['lasting']}. {finding['next_step']}"
