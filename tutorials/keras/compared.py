# %% [markdown]
# # labkit beside Keras
#
# Which of Keras's names does labkit have, with which of their arguments, and what is missing? This
# script asks both packages, so that the answer is never out of date.
# The page [Compared with Keras](../../reference/compared.md) shows the tables, and says what
# behaves differently.

# %%
import importlib
import inspect

import pandas as pd

import labkit as keras
from labkit import layers

# %% [markdown]
# ## Names and arguments
#
# A name is whole if labkit takes every argument that Keras takes. Where a signature does not say so,
# because both pass arguments on, an object is made with Keras's default for the argument.

# %%
MODULES = ["layers", "activations", "losses", "metrics", "optimizers", "optimizers.schedules"]
MODULES += ["initializers", "regularizers", "callbacks", "models", "ops", "random", "utils"]
# What Keras takes in all of its layers or optimizers, and labkit in none; constraints, too.
NOWHERE = {"autocast", "data_format", "ema_momentum", "ema_overwrite_frequency", "lora_alpha"}
NOWHERE |= {"gradient_accumulation_steps", "lora_rank", "loss_scale_factor", "quantization_config"}
NOWHERE |= {"seed", "use_ema"}
# What labkit's objects need, to be made.
NEEDED = {"axes": 1, "filters": 2, "input_dim": 3, "kernel_size": 1, "key_dim": 2, "units": 2}
NEEDED |= {"layer": layers.LSTM(2), "num_heads": 2, "output_dim": 2, "rate": 0.5}
NEEDED |= {"boundaries": [1], "values": [0.1, 0.2], "filepath": "best.npz", "factor": 0.1}
NEEDED |= {"function": abs, "target_shape": (2, 1), "stddev": 0.1, "scale": 0.5, "target": 3}
NEEDED |= {"schedule": abs, "initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.9}
NEEDED |= {"height_factor": 0.1, "width_factor": 0.1, "fn": abs, "shape": (3,)}


def arguments(member):
    """Return the arguments that a signature names, with their defaults."""
    parameters = inspect.signature(member).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return {p.name: p.default for p in named if p.name != "self"}


def accepts(member, name, default):
    """Say whether labkit's object takes an argument of Keras's."""
    if name in arguments(member) or not inspect.isclass(member):
        return name in arguments(member)
    needed = {n: NEEDED[n] for n, d in arguments(member).items() if d is inspect.Parameter.empty}
    try:
        member(**needed, **{name: default})
    except TypeError as error:
        return name not in str(error)
    except ValueError:  # it has the argument, and refuses the default of Keras's
        return True
    return True


def compared(module):
    """Return a row for each name that both packages have: what labkit leaves out of it."""
    ours = importlib.import_module(f"labkit.{module}")
    theirs = importlib.import_module(f"keras.{module}")
    rows = []
    for name in sorted(set(ours.__all__) & set(dir(theirs)), key=str.lower):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if inspect.ismodule(mine):
            continue
        offered = arguments(other).items()
        asked = [(n, d) for n, d in offered if n not in NOWHERE and "_constraint" not in n]
        left_out = [n for n, d in asked if not accepts(mine, n, d)]
        rows.append((f"{module}.{name}", ", ".join(left_out)))
    return pd.DataFrame(rows, columns=["name", "arguments left out"])


tables = {module: compared(module) for module in MODULES}
shared_names = sum(len(table) for table in tables.values())
whole = sum(int((table["arguments left out"] == "").sum()) for table in tables.values())
print(f"{shared_names} names in both packages, {whole} of them with every argument")
assert shared_names > 150
assert whole > shared_names / 2

# %% [markdown]
# ## Layers

# %% label="layers" values="shared_names whole nowhere"
nowhere = ", ".join(sorted(NOWHERE))
tables["layers"].style.hide()

# %% [markdown]
# ## Everything else that is not whole

# %% label="others"
METHODS = ["compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch"]
METHODS += ["predict_on_batch", "summary", "get_layer", "save_weights", "load_weights"]
model, other = keras.Model, importlib.import_module("keras").Model
offered = {name: arguments(getattr(other, name)) for name in METHODS}
lacking = {n: [a for a in offered[n] if a not in arguments(getattr(model, n))] for n in METHODS}
methods = pd.DataFrame(
    [(f"Model.{name}", ", ".join(left_out)) for name, left_out in lacking.items()],
    columns=["name", "arguments left out"],
)
rest = pd.concat([table for module, table in tables.items() if module != "layers"] + [methods])
rest[rest["arguments left out"] != ""].style.hide()

# %% [markdown]
# ## What is missing
#
# Asked for one of these, labkit says in a sentence that it leaves the name out.

# %% label="missing" values="missing_layers"
missing = []
for module in MODULES:
    theirs = importlib.import_module(f"keras.{module}")
    ours = importlib.import_module(f"labkit.{module}")
    public = [n for n in dir(theirs) if not n.startswith("_") and callable(getattr(theirs, n))]
    absent = [n for n in public if not hasattr(ours, n)]
    missing.append((module, len(public), len(absent), ", ".join(absent[:6])))
heads = ["module", "names in Keras", "missing", "for instance"]
missing_layers = missing[0][2]
assert all(absent < public for _, public, absent, _ in missing)
try:
    keras.layers.ConvLSTM2D
except AttributeError as error:
    print(error)
pd.DataFrame(missing, columns=heads).style.hide()
