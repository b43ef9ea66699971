"""Our step beside the durable step of libraries that people would otherwise take, each in an environment of its own."""
