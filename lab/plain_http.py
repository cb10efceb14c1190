"""What a browser of the lab and of the tests is made of: they speak HTTP without TLS."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For httpx's `verify`: by default each client reads all certificates, which costs as much as a page."""
