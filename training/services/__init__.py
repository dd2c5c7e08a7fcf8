"""What a merchant does with data sets, trainings, adapters and grids; each is one transaction."""
