#!/usr/bin/env python3
"""Everything a newcomer runs, from a fresh clone and with Python 3.11 or newer alone.

    python3 dev.py run                  start the queue; it prints where to click
    python3 dev.py demo                 the same with a busy office, so that all screens move; Ctrl-C ends it
    python3 dev.py test [-k calls ...]  all tests, several at a time, and in part on every other Python that is found;
                                        further words go to pytest, which then runs once
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
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = "made-from"  # in a directory of installed things: the version of their Python, then the digest of each lock
PYTHON = VENV / "bin" / "python"

RUNTIME = ("requirements.lock",)
DEVELOPMENT = ("requirements.lock", "requirements-dev.lock")

# Most tests wait for something most of the time. A file stays together, for its tests share a server.
SEVERAL = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
SPREAD = ("-m", "not timed", *SEVERAL, "--durations=10")
ALONE = ("-m", "timed", "--durations=5")

# What is tried on the other Pythons: the hall, and a server that is asked for tickets.
OTHER_PYTHONS = ("3.11", "3.12", "3.13")
IN_PART = ("tests/core", "tests/api/test_issuing.py", "tests/command_line/test_serving.py", *SPREAD)

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
    passed += [passes(str(python), "-m", "pytest", *IN_PART, *words) for python in other_pythons()]
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
    stamp = NODE_MODULES / STAMP
    wanted = digest(NODE_LOCK)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not shutil.which("npm"):
        print("Left out, for npm is not installed: the types of the pages' modules, axe-core", file=sys.stderr)
        return
    call("npm", "ci", "--no-audit", "--no-fund", "--silent")
    stamp.write_text(wanted)


def other_pythons() -> Iterator[Path]:
    """The other Pythons that the product runs on and this machine has, each with the development lock installed."""
    for version in OTHER_PYTHONS:
        found = next(filter(answers, candidates(version)), None)
        if version == ".".join(platform.python_version_tuple()[:2]):
            continue
        if found is None:
            print(f"Left out, for it is not installed: Python {version}", file=sys.stderr)
            continue
        venv = ROOT / f".venv-{version}"
        make_venv(DEVELOPMENT, venv, found)
        yield venv / "bin" / "python"


def candidates(version: str) -> Iterator[str]:
    """Where a Python of this version may be: on PATH, or among those that pyenv keeps."""
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], check=False, capture_output=True, text=True).stdout.strip()
        yield from (str(python) for python in sorted(Path(root).glob(f"versions/{version}.*/bin/python")))


def answers(python: str) -> bool:
    """Whether this Python is there and can make virtual environments: what pyenv puts on PATH may be neither."""
    asked = subprocess.run([python, "-c", "import ensurepip, sqlite3, venv"], check=False, capture_output=True)
    return asked.returncode == 0


def make_venv(locks: tuple[str, ...], venv: Path = VENV, python: str = sys.executable) -> None:
    """Leaves `venv` holding what `locks` name, for this Python; at once when it does already."""
    wanted = [version_of(python), *map(digest, locks)]
    stamp = venv / STAMP
    made_from = stamp.read_text().split() if stamp.exists() else [""]
    if made_from[0] == wanted[0] and set(wanted) <= set(made_from):
        return
    print(f"Installing {locks[-1]} into {venv.name} ...", file=sys.stderr, flush=True)
    # A half-finished install must not pass for a whole one.
    stamp.unlink(missing_ok=True)
    install = install_with_uv if shutil.which("uv") else install_with_pip
    install(locks[-1], venv, python, afresh=made_from[0] != wanted[0])
    stamp.write_text("\n".join(wanted))


def version_of(python: str) -> str:
    if python == sys.executable:
        return platform.python_version()
    words = (python, "-c", "import platform; print(platform.python_version())")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def digest(lock: str) -> str:
    return hashlib.sha256(Path(lock).read_bytes()).hexdigest()


def install_with_uv(lock: str, venv: Path, python: str, *, afresh: bool) -> None:
    call("uv", "venv", "--quiet", "--python", python, "--clear" if afresh else "--allow-existing", str(venv))
    into = str(venv / "bin" / "python")
    call("uv", "pip", "install", "--quiet", "--python", into, "--require-hashes", "-r", lock)


def install_with_pip(lock: str, venv: Path, python: str, *, afresh: bool) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python cannot make a virtual environment. On Debian: apt-get install python3-venv")
    call(python, "-m", "venv", *(["--clear"] if afresh else []), str(venv))
    into = str(venv / "bin" / "python")
    call(into, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", lock)


def call(*words: str) -> None:
    done = subprocess.run(words, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
