"""The JSON API, for scripts: the same questions and actions as the pages, by the same functions.

`application` puts it together; `identity` says who asks; `seen` what they may see; `shapes` and
`instance_shapes` how it is written; the other modules have one group of endpoints each.
"""
