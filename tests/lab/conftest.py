"""The proof suite against torch is collected where torch and transformers are installed (extra: lab)."""

from importlib.util import find_spec

if find_spec("torch") and find_spec("transformers"):
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity(50)
else:
    collect_ignore_glob = ["*.py"]
