"""What the integration tests share: the network, the daemon, the log socket, packets and the expected lines."""
