"""A CLB that behaves like CLB: Tencent Cloud's API over HTTP, probes, a data plane on loopback."""
