"""The same rows as other people's list pages show them, to be measured beside ours."""
