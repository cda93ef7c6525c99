"""HTTP: requests, retries, the rate limit, hosts, authentication, and bodies as they arrive."""
