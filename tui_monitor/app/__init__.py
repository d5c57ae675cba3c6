"""The screen: follows a run folder and draws snapshots; never imports a training framework."""
