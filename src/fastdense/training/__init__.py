"""Training, written once against the engine protocol: losses, optimizers, metrics, callbacks, the loop."""
