"""The Docker engine, through its SDK: images, and containers that build without a network."""
