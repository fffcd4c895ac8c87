"""Everything that imitates other tools: the figures and keys of VFI-Similarity and NOVA."""
