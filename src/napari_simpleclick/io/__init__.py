"""Reading and writing of volumes, masks and clicks."""
