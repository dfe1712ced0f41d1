"""`python -m retention.embedded PLACE COMMAND …` runs a command with servers; `PLACE` alone names them.

`clean` removes all data; `own` is how an owner is started.
"""

import argparse
import shutil
import sys
from dataclasses import asdict

from retention.embedded import joining, owner
from retention.embedded.places import PLACES, Place, Unavailable, data_folder, outbox_folder


def clean() -> int:
    """Remove all data of this checkout's servers, unless somebody uses them."""
    for name in PLACES:
        if (data_folder() / name).exists() and not joining.leave(name, wait_seconds=5):
            sys.stderr.write(f"The servers of `{name}` are in use; stop what uses them first.\n")
            return 1
    for folder in (data_folder(), outbox_folder()):
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["own"]:
        return owner.own(Place.of(arguments[1]))
    if arguments == ["clean"]:
        return clean()
    parser = argparse.ArgumentParser(prog="python -m retention.embedded", description=__doc__)
    parser.add_argument("place", choices=PLACES)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    try:
        if not asked.command:
            servers = joining.join(Place.of(asked.place))
            sys.stdout.writelines(f"{name.upper()}={url}\n" for name, url in asdict(servers).items() if url)
            return 0
        # `.env` is for an installation: tests and benchmarks must never meet its database by accident.
        joining.provide(asked.place, is_complete=True, reads_env_file=asked.place == "demo")
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    joining.replace_with(asked.command)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
