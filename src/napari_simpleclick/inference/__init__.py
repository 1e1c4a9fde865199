"""From a network and clicks to masks; knows no viewer."""
