"""careshed: who can reach care on foot, who cannot, and where to build next."""
