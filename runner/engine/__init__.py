"""The engine: claims due attempts, asks the rules, sends, settles; it knows the world through ports alone."""
