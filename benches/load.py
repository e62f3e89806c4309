#!/usr/bin/env python3
"""Generates much of everything and measures whether time and memory follow the amount; prints the tables of docs/robustness.md.

    benches/load.py --signleak target/release/signleak [--scratch FOLDER] [--runs 3] [--scale 1.0] [files objects findings repositories]

Keys are drawn at random and thrown away. The scratch folder needs 10 GB and 1.2 million inodes for the whole.
"""

import argparse
import os
import random
import statistics
import string
import subprocess
import tempfile
from pathlib import Path

from compare import run

LETTERS = string.ascii_letters + string.digits


def key():
    return "".join(random.choices(LETTERS, k=30)) + "aZ"


def files(folder, count):
    """Files of about a hundred bytes, a thousand to a folder; one in ten thousand holds a key."""
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"d{number // 1000}").mkdir(parents=True)
        text = f"YOUSIGN_API_KEY={key()}\n" if number % 10_000 == 5_000 else f"setting_{number} = {number}\n" * 5
        (folder / f"d{number // 1000}" / f"f{number}.txt").write_text(text)
    return [folder, "--no-history"]


def objects(folder, count):
    """A history by git fast-import: each commit changes one file in one of 256 folders and so makes four objects."""
    subprocess.run(["git", "init", "-q", "--bare", "--template=", folder], check=True)
    command = ["git", "-C", folder, "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for number in range(count // 4):
            text = f"YOUSIGN_API_KEY={key()}\n" if number == count // 8 else f"setting = {number}\n" * 20
            commit = f"commit refs/heads/main\ncommitter A <a@example.org> {1_600_000_000 + number} +0000\ndata 4\nstep\n"
            process.stdin.write(f"{commit}M 644 inline d{number % 256}/f{number % 4096}\ndata {len(text)}\n{text}\n".encode())
        process.stdin.close()
    assert process.returncode == 0
    return [folder, "--history-only"]


def findings(folder, count):
    """Files of a thousand keys."""
    folder.mkdir(parents=True)
    for number in range(count // 1000):
        lines = (f"YOUSIGN_API_KEY_{line}={key()}\n" for line in range(1000))
        (folder / f"f{number}.env").write_text("".join(lines))
    return [folder, "--no-history"]


def repositories(folder, count):
    """Repositories of two thousand objects each."""
    return [part for number in range(count) for part in objects(folder / f"r{number}", 2000)[:1]] + ["--history-only"]


SHAPES = {
    "files": (files, [10_000, 100_000, 1_000_000]),
    "objects": (objects, [10_000, 100_000, 1_000_000]),
    "findings": (findings, [1_000, 10_000, 100_000]),
    "repositories": (repositories, [1, 8, 64]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", default=list(SHAPES))
    parser.add_argument("--signleak", required=True, type=Path)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of all amounts")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, medians of {options.runs} runs\n")
    print("| shape | amount | time | for each | memory |\n|---|---|---|---|---|")
    for name in options.shapes:
        make, amounts = SHAPES[name]
        for amount in (max(1, int(amount * options.scale)) for amount in amounts):
            with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
                target = make(Path(scratch) / "load", amount)
                command = [options.signleak.resolve(), "scan", "-q", "--fail-on", "never", "--format", "json", *target]
                runs = [run(command) for _ in range(options.runs)]
                time, memory = statistics.median(run[0] for run in runs), max(run[1] for run in runs)
                each = f"{time / amount * 1e6:.1f} µs" if amount >= 1000 else f"{time / amount * 1e3:.1f} ms"
                print(f"| {name} | {amount:,} | {time:.2f} s | {each} | {memory:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
