"""Batches in blocks: what they must offer, where they come from, and how what they give is added exactly."""

from jacobians.batches.blocks import Batches, Blocks, in_blocks
from jacobians.batches.parquet import ParquetBlocks

__all__ = ["Batches", "Blocks", "ParquetBlocks", "in_blocks"]
