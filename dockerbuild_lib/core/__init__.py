"""What every room stands on: errors, events, content keys, files, retries."""
