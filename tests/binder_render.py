"""Prints, as JSON, what repo2docker would build of the current folder: run by test_binder.py with its Python.

Does what ``jupyter-repo2docker --no-build .`` does before it would need docker: ask each build pack in turn
whether the folder is its own, and let the first that says yes write the Dockerfile.
"""

import json
import sys

from repo2docker.app import Repo2Docker


def main() -> int:
    app = Repo2Docker()
    for kind in app.buildpacks:
        pack = kind(base_image=app.base_image)
        if pack.detect():
            break
    else:
        print("no build pack knows what to do with this folder", file=sys.stderr)
        return 1
    pack.platform = "linux/amd64"  # what mybinder.org runs
    seen = {"build_pack": kind.__name__, "dockerfile": pack.render({"NB_USER": "reader", "NB_UID": "1000"})}
    if kind.__name__ == "CondaBuildPack":
        seen |= {
            "environment_file": pack.environment_yaml_path,
            "python": pack.python_version,
            "one_python": not pack.separate_kernel_env,
            "lists": sorted(name for name in pack.get_build_script_files() if name.endswith(".lock")),
        }
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
