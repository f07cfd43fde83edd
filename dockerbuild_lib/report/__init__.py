"""How events and results are shown to people: live view, plain lines, tables. Progress goes to standard error."""
