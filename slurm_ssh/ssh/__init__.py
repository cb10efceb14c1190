"""As whom a site is reached, and through what."""
