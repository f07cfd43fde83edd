"""Programs that run inside the images, by their Python alone: nothing of this project is imported there."""
