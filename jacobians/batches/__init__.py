"""Batches in blocks: their protocol, their sources, and how the results of blocks are added exactly."""

from jacobians.batches.blocks import Batches, Blocks, in_blocks
from jacobians.batches.parquet import ParquetBlocks

__all__ = ["Batches", "Blocks", "ParquetBlocks", "in_blocks"]
