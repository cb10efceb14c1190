"""What is sent into the job of a look at a site."""
