"""What `labkit/__init__.py` loads lazily, for type checkers and editors."""

from labkit import activations as activations
from labkit import callbacks as callbacks
from labkit import config as config
from labkit import cost as cost
from labkit import datasets as datasets
from labkit import initializers as initializers
from labkit import layers as layers
from labkit import losses as losses
from labkit import metrics as metrics
from labkit import models as models
from labkit import ops as ops
from labkit import optimizers as optimizers
from labkit import plot as plot
from labkit import random as random
from labkit import regularizers as regularizers
from labkit import stats as stats
from labkit import testing as testing
from labkit import trials as trials
from labkit import utils as utils
from labkit._tensor import KerasTensor as KerasTensor
from labkit.layers import Input as Input
from labkit.layers import Layer as Layer
from labkit.models import Model as Model
from labkit.models import Sequential as Sequential

__all__: list[str]
