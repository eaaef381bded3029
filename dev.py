#!/usr/bin/env python3
"""Everything a newcomer runs, from a fresh clone and with Python 3.11 or newer alone.

    python3 dev.py run                  start the queue; it prints where to click
    python3 dev.py demo                 the same with a busy office, so that all screens move; Ctrl-C ends it
    python3 dev.py test [-k calls ...]  all tests, several at a time; further words go to pytest, which then runs once
    python3 dev.py lint                 style, types, and which module may import which
    python3 dev.py bench NAME [--quick] one of the measurements in bench/
    python3 dev.py fifteen --help       the product's own command line
    python3 dev.py lock [--upgrade]     write the lock files anew after a change of dependencies (needs uv)

The first run makes `.venv` from the lock; uv does it in seconds when it is on PATH, else pip does.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "made-from"  # the Python version, then the digest of each lock that is installed
PYTHON = VENV / "bin" / "python"

RUNTIME = ("requirements.lock",)
DEVELOPMENT = ("requirements.lock", "requirements-dev.lock")

# Most tests wait for something most of the time. A file stays together, for its tests share a server.
SPREAD = ("-m", "not timed", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
ALONE = ("-m", "timed")

NODE_MODULES = ROOT / "node_modules"
NODE_LOCK = "package-lock.json"
TSC = "node_modules/.bin/tsc"

CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("lint-imports", "--no-logo"),
    ("hadolint", "Dockerfile"),
)


def main(words: list[str]) -> NoReturn:
    if sys.version_info < (3, 11):
        sys.exit(f"Fifteen needs Python 3.11 or newer; this is {platform.python_version()}.")
    if not words or words[0] not in COMMANDS:
        sys.exit(__doc__)
    os.chdir(ROOT)
    # The checkout itself is what runs: an installed copy would be one more thing to go stale.
    os.environ["PYTHONPATH"] = str(ROOT)
    command, *rest = words
    COMMANDS[command](rest)


def run(words: list[str]) -> NoReturn:
    become("app", "serve", *words, needs=RUNTIME)


def demo(words: list[str]) -> NoReturn:
    become("app", "demo", *words, needs=RUNTIME)


def fifteen(words: list[str]) -> NoReturn:
    become("app", *words, needs=RUNTIME)


def test(words: list[str]) -> NoReturn:
    make_node_modules()
    if set(words) - {"--require-all"}:
        become("pytest", *words, needs=DEVELOPMENT)
    make_venv(DEVELOPMENT)
    passed = [passes(str(PYTHON), "-m", "pytest", *which, *words) for which in (SPREAD, ALONE)]
    sys.exit(0 if all(passed) else 1)


def bench(words: list[str]) -> NoReturn:
    names = sorted(path.stem for path in Path("bench").glob("[!_]*.py"))
    if not words or words[0] not in names:
        sys.exit(f"Which one? python3 dev.py bench {' | '.join(names)}")
    become(f"bench.{words[0]}", *words[1:], needs=DEVELOPMENT)


def lint(_: list[str]) -> NoReturn:
    """Every check is run, also after one has failed: a newcomer wants the whole list at once."""
    make_venv(DEVELOPMENT)
    make_node_modules()
    failed = [" ".join(check) for check in CHECKS if not passes(str(VENV / "bin" / check[0]), *check[1:])]
    if not types_of_modules_fit():
        failed.append("tsc")
    sys.exit(f"Failed: {', '.join(failed)}" if failed else 0)


def lock(words: list[str]) -> NoReturn:
    """Hashes, but no host: whoever installs says where packages come from."""
    if not shutil.which("uv"):
        sys.exit("uv writes the locks, and it is not on PATH: pipx install uv")
    compiling = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    subprocess.run([*compiling, "pyproject.toml", "-o", "requirements.lock", *words], check=True)
    development = ["--group", "dev", "-c", "requirements.lock", "-o", "requirements-dev.lock"]
    subprocess.run([*compiling, "pyproject.toml", *development, *words], check=True)
    sys.exit()


COMMANDS = {
    "run": run,
    "demo": demo,
    "test": test,
    "lint": lint,
    "bench": bench,
    "fifteen": fifteen,
    "lock": lock,
}


def become(module: str, *words: str, needs: tuple[str, ...]) -> NoReturn:
    """This process goes on as `python -m module words`, so signals and the exit code are the program's own."""
    make_venv(needs)
    os.execv(PYTHON, [str(PYTHON), "-m", module, *words])


def passes(program: str, *words: str) -> bool:
    print("-", Path(program).name, *words, flush=True)
    return subprocess.run([program, *words], check=False).returncode == 0


def types_of_modules_fit() -> bool:
    """The pages' modules are checked where npm is; where everything is required it has to be."""
    return passes(TSC, "-p", "tsconfig.json") if Path(TSC).exists() else not os.environ.get("CI")


def make_node_modules() -> None:
    """Leaves `node_modules` holding what the lock names: tools for tests and checks, and nothing that is served."""
    stamp = NODE_MODULES / "made-from"
    wanted = digest(NODE_LOCK)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not shutil.which("npm"):
        print("Left out, for npm is not installed: the types of the pages' modules, axe-core", file=sys.stderr)
        return
    call("npm", "ci", "--no-audit", "--no-fund", "--silent")
    stamp.write_text(wanted)


def make_venv(locks: tuple[str, ...]) -> None:
    """Leaves `.venv` holding what `locks` name; at once when it does already."""
    wanted = [platform.python_version(), *map(digest, locks)]
    made_from = STAMP.read_text().split() if STAMP.exists() else [""]
    if made_from[0] == wanted[0] and set(wanted) <= set(made_from):
        return
    print(f"Installing {locks[-1]} into {VENV.name} ...", file=sys.stderr, flush=True)
    # A half-finished install must not pass for a whole one.
    STAMP.unlink(missing_ok=True)
    install = install_with_uv if shutil.which("uv") else install_with_pip
    install(locks[-1], afresh=made_from[0] != wanted[0])
    STAMP.write_text("\n".join(wanted))


def digest(lock: str) -> str:
    return hashlib.sha256(Path(lock).read_bytes()).hexdigest()


def install_with_uv(lock: str, *, afresh: bool) -> None:
    call("uv", "venv", "--quiet", "--python", sys.executable, "--clear" if afresh else "--allow-existing", str(VENV))
    call("uv", "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", lock)


def install_with_pip(lock: str, *, afresh: bool) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python cannot make a virtual environment. On Debian: apt-get install python3-venv")
    call(sys.executable, "-m", "venv", *(["--clear"] if afresh else []), str(VENV))
    call(str(PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", lock)


def call(*words: str) -> None:
    done = subprocess.run(words, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
