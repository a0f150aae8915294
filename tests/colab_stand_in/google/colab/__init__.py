"""Stands in for Colab's own package: a lesson can tell by it that it runs in Colab.

The tests' kernels import it at their start, as Colab's kernel does.
"""
