"""`make check`: everything about the code that needs no test data, each check with its own line, all of them always."""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: As in production, so that `check --deploy` judges what will be deployed.
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "BASE_URL": "https://retention.example.com",
    "ALLOWED_HOSTS": "retention.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://retention.example.com",
    "BEHIND_PROXY": "1",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
}


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if name]
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.rglob(Path(pattern).name)]


def checks() -> dict[str, list[str | Path]]:
    manage = [sys.executable, "manage.py"]
    return {
        "style": [BIN / "ruff", "check", "--quiet", "."],
        "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
        "templates": [BIN / "djade", "--check", "--target-version", "5.2", *tracked("*.html")],
        "types": [BIN / "mypy"],
        "directions": [BIN / "lint-imports", "--no-cache"],
        "migrations complete": [*manage, "makemigrations", "--check", "--dry-run", "-v0"],
        "migrations safe": [sys.executable, "-m", "tests.migrations_since_release"],
        "API document": [*manage, "export_openapi", "--check"],
        "deployment": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
    }


def main() -> int:
    failed = []
    for name, command in checks().items():
        start = time.monotonic()
        environment = {**os.environ, **(PRODUCTION if name == "deployment" else {})}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name} ({time.monotonic() - start:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print("\n".join(f"    {line}" for line in done.stdout.splitlines()), flush=True)
    print(f"{len(failed)} checks failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
