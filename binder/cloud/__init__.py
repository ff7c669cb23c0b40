"""The adapter to CLB: what the API's replies and errors mean, and how it is called with care."""
