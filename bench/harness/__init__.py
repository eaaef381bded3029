"""What benches have in common: servers to start, a client that costs little, offices to fill."""
