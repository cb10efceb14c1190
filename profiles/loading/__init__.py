"""From text to a catalogue, or to everything that is wrong with it and where."""
