"""What metrics compute as tensor operations: of frames on a device, and of embeddings. Only these
modules import torch, and only they are imported where there is a tensor."""
