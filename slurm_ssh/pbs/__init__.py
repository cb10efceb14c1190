"""OpenPBS's spellings, from its manual pages and its source (23.06): no real one was at hand."""
