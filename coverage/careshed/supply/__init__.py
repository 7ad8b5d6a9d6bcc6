"""Weigh people against places: crowding, catchments, hierarchy, fairness, and what a change gains or loses."""
