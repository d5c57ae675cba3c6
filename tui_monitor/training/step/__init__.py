"""What a training or validation step emits beside Keras' own logs, and how these values leave the graph.

Another value of every batch goes into `payload.batch_values`, and no further: its column in the run is made by its
name. Open `payload` first. `packing` makes one vector of it in a graph; where a step is eager, `at_hand` takes what it
has, and `operations` computes with NumPy instead of TensorFlow. `alike` keeps the steps of one trace in one structure.

In: a step function as Keras made it. Out: one packed vector a step, on one replica or several.
"""
