"""Plans, status and results for people and machines; reads values, decides nothing."""
