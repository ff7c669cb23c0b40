"""The loops that carry out plans: threads, queues and time; decisions are in ``binder.core``."""
