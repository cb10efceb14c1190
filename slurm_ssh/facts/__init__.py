"""What sites have free, and for whom."""
