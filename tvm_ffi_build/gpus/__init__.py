"""What is known of GPUs, CUDA toolkits and drivers, and on which GPUs some device code runs.

``gpus.json`` is written by hand, with the document that each row was taken from.
"""

from __future__ import annotations

__all__: list[str] = []
