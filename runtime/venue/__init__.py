"""The simulated venue: arrival of commands, matching, queues, fees, funding and margin."""
