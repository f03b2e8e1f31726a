"""What the application holds: connections and cursors that are the driver's own, and a little more."""
