"""What one person may start, and the gate from Choices to a Launch."""
