"""The files of a batch job at its site: streamed there and back as its owner, and only within its folder."""
