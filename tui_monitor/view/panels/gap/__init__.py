"""The panel that answers why training and validation differ."""
