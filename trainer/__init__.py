"""A PyTorch library that trains small image classifiers, reproducibly. It knows no database and no web.

In a terminal: `python -m trainer --model cnn --dataset digits --pixel-order shuffled`
"""
