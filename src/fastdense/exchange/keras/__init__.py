"""Keras' files: what their descriptions and weights say."""
