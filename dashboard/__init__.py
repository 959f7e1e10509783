"""A dashboard for monitoring and operating Cloudflare Workflows instances."""
