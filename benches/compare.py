#!/usr/bin/env python3
"""Compares whole processes side by side and prints the tables of docs/benchmarks.md.

    benches/compare.py --signleak target/release/signleak --history REPOSITORY... --files FOLDER... [--runs 5] [--peers FOLDER]

Pairs are run one after the other, so that both see the same machine; the ratio is the median of the pairs' ratios. Peers are
installed into FOLDER from PyPI (kingfisher-bin) and crates.io (ripsecrets, ripgrep) unless they are there.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def run(command, folder=".", ok=None):
    """Runs a command; returns its seconds and the peak of its anonymous memory in MB, sampled. With `ok`, any other status is an error."""
    started = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = [0]
    watcher = threading.Thread(target=watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    process.wait()
    if ok and process.returncode not in ok:
        sys.exit(f"{' '.join(map(str, command))}: exit status {process.returncode}")
    return time.monotonic() - started, peak[0] / 1024


def watch(pid, peak):
    try:
        while True:
            with open(f"/proc/{pid}/status") as status:
                sizes = [int(line.split()[1]) for line in status if line.startswith("RssAnon")]
            if not sizes:
                return
            peak[0] = max(peak[0], *sizes)
            time.sleep(0.01)
    except OSError:
        return


def pairs(ours, theirs, runs, folder="."):
    """Runs both in turn, after one run of each that is not counted; returns medians of times, of ratios, and our memory."""
    run(ours, folder), run(theirs, folder)
    timed = [(run(ours, folder), run(theirs, folder)) for _ in range(runs)]
    own = statistics.median(first[0] for first, _ in timed)
    other = statistics.median(second[0] for _, second in timed)
    ratio = statistics.median(first[0] / second[0] for first, second in timed)
    return own, other, ratio, max(first[1] for first, _ in timed)


def install(folder):
    """Installs the peers; returns the programs by name."""
    folder = Path(folder).resolve()
    if not (folder / "bin/kingfisher").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "kingfisher-bin"], check=True)
    for crate, program in [("ripsecrets", "ripsecrets"), ("ripgrep", "rg")]:
        if not (folder / "bin" / program).exists():
            subprocess.run(["cargo", "install", "--quiet", "--locked", "--root", folder, crate], check=True)
    return {name: folder / "bin" / name for name in ["kingfisher", "ripsecrets", "rg"]}


def version(command):
    output = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
    return output.splitlines()[0].strip()


def git(folder, *words):
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True).stdout.strip()


def history(options, peers):
    print("| repository | objects | signleak | memory | git cat-file | ratio | git index-pack | kingfisher |")
    print("|---|---|---|---|---|---|---|---|")
    for repository in options.history:
        folder = Path(repository).resolve()
        objects = git(folder, "count-objects", "-v").split("in-pack: ")[1].split()[0]
        ours = [options.signleak, "scan", "--history-only", "-q", "--trust-owner", "."]
        cat = ["git", "cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer"]
        own, other, ratio, memory = pairs(ours, cat, options.runs, folder)
        packs = Path(git(folder, "rev-parse", "--absolute-git-dir")) / "objects/pack"
        with tempfile.TemporaryDirectory() as scratch:
            index = lambda pack: run(["git", "index-pack", "-o", f"{scratch}/{pack.stem}.idx", pack], ok=[0])[0]
            indexed = sum(index(pack) for pack in sorted(packs.glob("*.pack")))
        peer = [peers["kingfisher"], "scan", "--no-validate", "--no-update-check", "--quiet", "."]
        kingfisher = f"{run(peer, folder)[0]:.1f} s" if peers and not options.no_history_peers else "–"
        print(
            f"| {options.name(folder)} | {int(objects):,} | {own:.2f} s | {memory:.0f} MB | {other:.2f} s | {ratio:.3f} "
            f"| {indexed:.1f} s | {kingfisher} |",
            flush=True,
        )


def files(options, peers):
    print("| folder | files | signleak | memory | rg -uuu -i yousign | ratio | ripsecrets |")
    print("|---|---|---|---|---|---|---|")
    for name in options.files:
        folder = Path(name).resolve()
        count = sum(len(names) for _, _, names in os.walk(folder))
        ours = [options.signleak, "scan", "--no-history", "-q", "--trust-owner", "."]
        own, other, ratio, memory = pairs(ours, [peers["rg"], "-uuu", "-i", "yousign", "."], options.runs, folder)
        ripsecrets = statistics.median(run([peers["ripsecrets"], "."], folder)[0] for _ in range(3))
        print(
            f"| {options.name(folder)} | {count:,} | {own:.2f} s | {memory:.0f} MB | {other:.2f} s | {ratio:.2f} | {ripsecrets:.2f} s |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signleak", required=True, type=Path)
    parser.add_argument("--history", nargs="*", default=[])
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default=Path(tempfile.gettempdir()) / "signleak-peers")
    parser.add_argument("--no-history-peers", action="store_true", help="leave out scanners that take minutes for a history")
    options = parser.parse_args()
    options.signleak = options.signleak.resolve()
    options.name = lambda folder: folder.parent.name if folder.name == "repo" else folder.name
    peers = install(options.peers)
    versions = [version([options.signleak, "--version"]), version(["git", "--version"])]
    versions += [version([program, "--version"]) for program in peers.values()]
    print(" · ".join(versions) + f" · {os.cpu_count()} cores · medians of {options.runs} pairs\n", flush=True)
    if options.history:
        history(options, peers)
        print()
    if options.files:
        files(options, peers)


if __name__ == "__main__":
    main()
