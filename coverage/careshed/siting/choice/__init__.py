"""Count what a list of sites brings that a reader chose: from travel times of the very sites, and with what they cost."""

from careshed.siting.choice.evaluating import Evaluation, evaluate_choice
from careshed.siting.choice.lists import SiteList, check_sites, read_site_list
from careshed.siting.choice.money import Money, SiteMoney, money_of, site_money

__all__ = [
    "Evaluation",
    "Money",
    "SiteList",
    "SiteMoney",
    "check_sites",
    "evaluate_choice",
    "money_of",
    "read_site_list",
    "site_money",
]
