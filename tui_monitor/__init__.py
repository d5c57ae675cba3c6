"""A terminal monitor for Keras training that measures why validation and training figures differ."""
