"""gembill: token billing and usage accounting for the code execution of Google's Gemini API.

Owns: the version; it is written here only, and the build reads it. Importing this is cheap: no SQL toolkit, data frame,
chart or SDK comes with it.
"""

__version__ = "0.2.0"
