"""Whole programs, read and never run: is this file's backward pass right, and if not, which line slipped?"""
