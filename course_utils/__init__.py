"""The helper package of the lessons on deep learning for DNA.

Importing it names the version and does nothing else: no download, no seed, no style, no torch.
"""

from importlib.metadata import version

__version__ = version("course-utils")
