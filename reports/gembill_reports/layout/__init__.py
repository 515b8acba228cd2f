"""How anything is set for people and programs: sheets, tables, and the terminal they are shown on.

Owns: widths, columns that give way, the forms terminal, Markdown and CSV. Not here: numbers and words of a report.
"""
