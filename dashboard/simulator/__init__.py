"""A Cloudflare account that lives in memory, served over HTTP. Knows no Django and no client."""
