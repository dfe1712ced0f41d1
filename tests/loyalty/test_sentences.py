"""Every kind of rule, said to readers of each language: whole sentences, amounts with the digits of their currency."""

from dataclasses import replace
from pathlib import Path

import pytest

from loyalty.forms import sentences
from loyalty.rules import ProgrammeRule
from loyalty.rules.challenges import ChallengePlan
from loyalty.rules.pending import UntilEvent
from loyalty.rules.tiers import expiry_words
from loyalty.sentences import Teller
from loyalty.sentences.kinds import KINDS
from loyalty.sentences.words import WORDS
from retention.ledger.seeds import POINTS
from retention.ledger.units import After, EachYear, Never, UnitRule
from tests.loyalty.everything import EVERYTHING

RULE = ProgrammeRule.model_validate(EVERYTHING)
RULE_OF_POINTS = UnitRule(name="Points", kind="points", counted=POINTS)


def teller(language, currency):
    tiers = {step.key: step.names[language] for step in RULE.tiers.steps}
    made = Teller(language, currency, RULE_OF_POINTS, {"ran": "Ran a lap"}, tiers)
    return replace(made, rules={one.key: one.what(made) for one in RULE.earning if one.about != "bonus"})


#: Language and currency, then everything, a line each; what milestones ask at the end.
SAID = [block.splitlines() for block in Path(__file__).with_name("said.txt").read_text().strip().split("\n\n")]


@pytest.mark.parametrize("said", SAID, ids=lambda said: said[0])
def test_a_programme_with_every_kind_of_rule_in_whole_sentences(said):
    tells = teller(*said[0].split())
    assert [*sentences(RULE, tells), *(one.sentence(tells) for one in RULE.milestones)] == said[1:]


def test_money_has_the_digits_of_its_currency():
    task = ChallengePlan(names={"en": "x"}, task={"kind": "spend", "amount_minor": 20_000}, within_days=30)
    assert [task.sentence(Teller("en", currency)) for currency in ("EUR", "JPY", "KWD")] == [
        "€200.00 spent within 30 days", "¥20,000 spent within 30 days", "KWD20.000 spent within 30 days",
    ]  # fmt: skip


def test_how_long_something_lasts_and_what_it_waits_for():
    lasting = [Never(), After(count=2, per="year"), After(count=6, per="month", rounded_to="quarter")]
    ends = [*lasting, EachYear(month=12, day=31)]
    assert [expiry_words(one, Teller("ru")) for one in ends] == [
        "действует бессрочно", "действует 2 года", "действует 6 месяцев, до конца того квартала",
        "каждый год действует по 31 декабря",
    ]  # fmt: skip
    assert expiry_words(ends[-1], Teller("ko")) == "매년 12월 31일이 지나면 소멸됩니다"
    # A kind of the shop's own goes by its label; a language that nobody wrote is told in English.
    after = UntilEvent(activity="ran")
    assert after.sentence(Teller("pl", kinds={"ran": "Pobiegła"})) == "can be spent after “Pobiegła”"


def test_every_language_has_every_phrase():
    assert all(words.keys() == WORDS["en"].keys() for words in WORDS.values())
    assert all(names.keys() == WORDS.keys() for names in KINDS.values())
