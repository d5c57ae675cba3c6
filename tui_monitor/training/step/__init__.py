"""What a training or validation step emits beside Keras' own logs, and how that leaves the graph; open `payload` first.

In: a step function as Keras made it. Out: one packed vector a step, on one replica or several.
"""
