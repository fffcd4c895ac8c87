"""What helps to find frames again, stored with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import finish, scores_of

from vfiscope.errors import StoreError
from vfiscope.store import Run
from vfiscope.types import SeekTable
