"""Ask until answered: an experiment that carries a question launches its own seeds until the answer is in.

`cells`: the configurations of a question and the runs it begins with. `sets`: a question of one difference, whose
configurations run in sets of one seed. `best`: which of them is the best, where those that are ruled out run no more.
`questions`: launching, going on, and what people change.
"""
