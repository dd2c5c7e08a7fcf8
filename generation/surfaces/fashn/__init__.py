"""FASHN's ``/v1``: run, status, credits (docs/fashn.md).

``door`` lets a key in, ``inputs`` reads what is sent, ``services`` takes the order; ``carrying`` fetches the pictures
in the light lane and hands ``orders`` to the fair queue; ``answers`` and ``endings`` tell what became of it.
"""
