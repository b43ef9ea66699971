"""What a simulation is given: how many grievances of which kinds, who works where and how, what is changed."""
