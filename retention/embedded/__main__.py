"""`python -m retention.embedded tests|demo|bench COMMAND …` runs a command with servers; `… PLACE` alone names them."""

import argparse
import sys
from dataclasses import asdict

from retention.embedded import joining, owner
from retention.embedded.places import PLACES, Place, Unavailable


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["own"]:
        return owner.own(Place.of(arguments[1]))
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
        joining.provide(asked.place, needs_secret_key=True, reads_env_file=asked.place == "demo")
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    joining.replace_with(asked.command)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
