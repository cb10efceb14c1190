"""What is known of sites: snapshots, and each person's projects, kept for a while."""
