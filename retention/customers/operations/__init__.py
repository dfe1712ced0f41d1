"""Writes of this room."""

from retention.customers.operations.consents import (
    ConsentRefused,
    ask_consent,
    give_consent,
    withdraw_consent,
)
from retention.customers.operations.customers import BadFacts, CustomerGone, Saved, save_customer
from retention.customers.operations.endings import count_ended_consents, end_consents
from retention.customers.operations.rfm import Scored, compute_rfm, count_rfm_changes
from retention.customers.operations.stats import check_stats, count_wrong_stats, refresh_stats, see
from retention.customers.operations.visitors import count_leftovers, join_leftovers, join_visitors

__all__ = [
    "BadFacts",
    "ConsentRefused",
    "CustomerGone",
    "Saved",
    "Scored",
    "ask_consent",
    "check_stats",
    "compute_rfm",
    "count_ended_consents",
    "count_leftovers",
    "count_rfm_changes",
    "count_wrong_stats",
    "end_consents",
    "give_consent",
    "join_leftovers",
    "join_visitors",
    "refresh_stats",
    "save_customer",
    "see",
    "withdraw_consent",
]
