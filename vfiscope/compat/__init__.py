"""All that imitates other tools: the pictures of VFI-Similarity and NOVA."""
