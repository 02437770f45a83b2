"""Plants the loss that STOREFUZZ_PLANTED names in any interpreter with this folder on its path."""

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import planted

planted.plant(os.environ["STOREFUZZ_PLANTED"])
