"""What an admin may write: frozen values, one for each kind of entry."""
