"""Programs that are written out in an id, and the steps that random exploration draws them from."""
