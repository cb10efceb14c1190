"""What must hold beyond one entry."""
