"""The real-time floor: a read that begins after a commit was acknowledged must see at least that commit."""
