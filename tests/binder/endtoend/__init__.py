"""The binder as a process, between a real API server and the simulator with its data plane."""
