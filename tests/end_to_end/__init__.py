"""The whole way through the real Meltano."""
