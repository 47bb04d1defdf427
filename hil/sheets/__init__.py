"""Rendered tally sheets by the thousand, each read and held against the truth: is a wrong number ever accepted?"""
