"""The main job on embedded defaults, as a newcomer sees it. Uses nothing that a user could not use."""
