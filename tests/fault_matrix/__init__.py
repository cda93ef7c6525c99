"""Every kind of fault at the first, a middle and the last request of each kind, for each tap."""
