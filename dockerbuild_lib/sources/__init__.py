"""Everything from outside: found, locked, fetched, verified, and interned in the store."""
