"""What is launched, before there is a database: knobs by their paths, experiments, the plan of a launch. Pure."""
