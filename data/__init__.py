"""The small files that the lessons read without a network, and the registry of the large ones.

The folder is at the top of the repository and is installed as ``course_utils.data``, so that
:mod:`importlib.resources` finds the files in a checkout, in a wheel and on Colab alike.
"""
