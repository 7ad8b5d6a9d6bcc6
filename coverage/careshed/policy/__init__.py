"""Read a plan as data: its rules as a profile, checked; its own sums; and what a city's data say of every target."""

from careshed.policy.loading import explain, init_profile, load_profile, profile_template, profiles
from careshed.policy.model import Also, Cost, Head, Profile, Rule, Subsidy

__all__ = [
    "Also",
    "Cost",
    "Head",
    "Profile",
    "Rule",
    "Subsidy",
    "explain",
    "init_profile",
    "load_profile",
    "profile_template",
    "profiles",
]
