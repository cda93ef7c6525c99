"""HTTP: requests, retries, the rate limit, hosts, authentication and streamed bodies."""
