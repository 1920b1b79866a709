"""What is kept: the state folder of a project, its runs, their journals, and the bytes they name."""
