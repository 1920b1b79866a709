"""A layer above a finished environment for a shell, which must not install into what all runs share."""

import os
import shutil
from collections.abc import Mapping
from glob import escape, glob

from vhpipe.environments.layer import FOLDER, LAYER_VARIABLE
from vhpipe.environments.layout import activated, link_programs, write_links


def with_layer_above(environment: str, folder: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a shell in which that environment was active: with a layer in a folder, which it installs into.

    Errors: OSError.
    """
    layer = f"{folder}/{FOLDER}"
    own = next(iter(sorted(glob(f"{escape(environment)}/lib/*/site-packages"))), None)
    if own is None:
        return dict(variables)
    packages = f"{layer}{own.removeprefix(environment)}"
    os.makedirs(packages)
    os.makedirs(f"{layer}/bin")
    shutil.copyfile(f"{environment}/pyvenv.cfg", f"{layer}/pyvenv.cfg")
    for name in os.listdir(f"{environment}/bin"):
        if name.startswith("python") and os.path.islink(f"{environment}/bin/{name}"):
            os.symlink(os.readlink(f"{environment}/bin/{name}"), f"{layer}/bin/{name}")
    write_links(packages, (own,))
    link_programs(environment, layer)
    return activated(dict(variables), (layer,)) | {LAYER_VARIABLE: packages, "PYTHONUSERBASE": layer}
