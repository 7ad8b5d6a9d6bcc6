"""Say what changed since the last run: facilities, rules, units and people, and why."""

from careshed.policy.changes.cards import CardChanges, compare_cards, headline
from careshed.policy.changes.explain import Explained, Explanation, explain_changes
from careshed.policy.changes.facilities import FacilityChange, compare_facilities
from careshed.policy.changes.mixing import FACTORS
from careshed.policy.changes.rules import Reason, RuleChange, UnitChange
from careshed.policy.changes.series import places_by_card, places_over_time
from careshed.policy.changes.store import card_name, find_card, list_cards, open_card, save_run_card

__all__ = [
    "FACTORS",
    "CardChanges",
    "Explained",
    "Explanation",
    "FacilityChange",
    "Reason",
    "RuleChange",
    "UnitChange",
    "card_name",
    "compare_cards",
    "compare_facilities",
    "explain_changes",
    "find_card",
    "headline",
    "list_cards",
    "open_card",
    "places_by_card",
    "places_over_time",
    "save_run_card",
]
