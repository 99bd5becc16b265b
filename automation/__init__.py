"""What runs around the pipeline without hands: deployment and notification, as commands."""
