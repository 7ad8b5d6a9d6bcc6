"""Turn streets into arrays that can be searched, and join places to them."""

from careshed.network.build import build_network, morton, utm_zone
from careshed.network.joining import Attached, attach, attachment_table, leg_faults, nearest_pieces
from careshed.network.model import DEFAULT_SNAP_M, HALF_MM, Arcs, Bins, Costs, Network, UInt32, UInt64, pack_arcs

__all__ = [
    "DEFAULT_SNAP_M",
    "HALF_MM",
    "Arcs",
    "Attached",
    "Bins",
    "Costs",
    "Network",
    "UInt32",
    "UInt64",
    "attach",
    "attachment_table",
    "build_network",
    "leg_faults",
    "morton",
    "nearest_pieces",
    "pack_arcs",
    "utm_zone",
]
