"""Scripts written for Keras 2 on Keras 3: calls are translated, or advice is given; open `calls` first."""
