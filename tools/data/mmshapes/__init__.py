"""MMShapes: the generated multimodal video data set that everyone has."""
