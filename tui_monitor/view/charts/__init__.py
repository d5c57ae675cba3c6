"""What each chart shows: from a snapshot and the view state to a chart specification."""
