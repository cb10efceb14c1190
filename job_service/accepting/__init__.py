"""Whether somebody may have the job that they ask for: the gate, what is offered, projects, admins' acts."""
