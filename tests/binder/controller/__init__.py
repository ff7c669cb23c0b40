"""The loops, with a clock that only the test moves and fakes of the world."""
