"""gembill: token billing and usage accounting for the code execution of Google's Gemini API.

Owns: the version. Importing it is cheap: no SQL toolkit, data frame, chart or SDK comes with it.
"""

__version__ = "0.1.0"
