"""Statement text: tokens, kinds, fingerprints. Nothing here asks a database."""
