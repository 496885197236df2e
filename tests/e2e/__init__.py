"""The command as people run it: real processes, real sockets, a real ledger."""
