"""Methods of the literature as settings: `NAME.toml` is the preset, `NAME.md` beside it tells of the method.

`reading.py` reads them. A new one is these two files and a test that says what it changes.
"""
