"""The reader thread: polls a run folder and hands the newest snapshot to the screen."""
