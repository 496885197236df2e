"""One file per provider, pure; a registry that names them; the only transport that touches the network."""
