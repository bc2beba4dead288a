"""What runs as a process of a service, in its folder, with its settings and its database role."""
