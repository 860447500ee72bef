"""What every room shares: specs, checks, configurations, files, streams of random numbers."""
