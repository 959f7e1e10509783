"""How people sign in: what this dashboard asks of allauth, which does it, and what it does not.

Nobody signs up by themselves and nothing is mailed. Whoever the identity provider vouches for gets
a user without a role: what they may see is granted here, or follows from their groups.
"""
