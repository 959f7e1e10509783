"""The language of the search box: text to terms and back, and what the values of terms mean.

Pure: knows no Django and no rows. What a key finds is said by `forms/search.py`.
"""
