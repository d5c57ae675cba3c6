"""Control requests from the screen: keys, dialogs, and the requests not yet acknowledged."""
