#!/usr/bin/env python3
"""Scans single large files of hostile shapes at four sizes each, and prints the table of docs/benchmarks.md.

    benches/pathological.py --signleak target/release/signleak [--sizes 125000 250000 500000 1000000] [--runs 3] [SHAPE...]

A size is a number of things: tokens, URLs, braces, or for the encoded shapes and the bundles bytes. Without --sizes each
shape has its own. Doubled sizes should take at most doubled time: seconds of the processor, medians of some runs, which
other work on the machine hardly changes. Values are drawn with a fixed seed.
"""

import argparse
import base64
import random
import resource
import statistics
import string
import subprocess
import tempfile
from pathlib import Path

HEX = "0123456789abcdef"
BASE62 = string.ascii_letters + string.digits
WORDS = ["render", "state", "props", "index", "return", "value", "node", "event", "length", "update", "children", "context"]


def drawn(chance, alphabet, length=32):
    return "".join(chance.choices(alphabet, k=length))


def uuid(chance):
    digits = drawn(chance, HEX)
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def minified(chance, length):
    """Code as bundlers write it, in one line."""
    parts, size = [], 0
    while size < length:
        name, other, letter = chance.choice(WORDS), chance.choice(WORDS), chance.choice(string.ascii_lowercase)
        part = f'function {letter}(e,t){{var n=e.{name};return n&&t({{key:"{other}",id:{chance.randrange(99999)}}})}}'
        parts.append(part)
        size += len(part)
    return "".join(parts)


def bundle(size, chance):
    """One line of minified code with 200 keys."""
    piece = minified(chance, size // 200)
    return "".join(piece + f'const cfg={{VITE_YOUSIGN_API_KEY:"{drawn(chance, BASE62)}"}};' for _ in range(200))


def tokens_in_one_line(size, chance):
    """Digests in one line, which speaks of the provider once."""
    return "var yousign={" + ",".join(f'"{number}":"{drawn(chance, HEX)}"' for number in range(size)) + "}"


def tokens_in_lines(size, chance):
    """One digest in each line of a file that speaks of the provider once."""
    return "# yousign\n" + "".join(f"asset_{number}: {drawn(chance, HEX)}\n" for number in range(size))


def keys(size, chance):
    """One key in each line."""
    return "".join(f"YOUSIGN_API_KEY_{number}={drawn(chance, BASE62)}\n" for number in range(size))


def keys_in_one_line(size, chance):
    """All keys in one line."""
    return ",".join(f'yousignApiKey{number}:"{drawn(chance, BASE62)}"' for number in range(size))


def urls(size, chance):
    """One call of the API in each line."""
    return "".join(f"GET https://api.yousign.app/v3/signature_requests/{uuid(chance)} 200\n" for _ in range(size))


def links(size, chance):
    """One signature link in each line."""
    link = "https://yousign.app/signatures/{}?s={}&r={}&k={}\n"
    return "".join(link.format(uuid(chance), drawn(chance, HEX, 64), drawn(chance, HEX), drawn(chance, BASE62)) for _ in range(size))


def braces(size, chance):
    """Nested braces around a key."""
    return "yousign:" + "{a:" * size + f'"{drawn(chance, BASE62)}"' + "}" * size


def braces_with_tokens(size, chance):
    """Nested braces with a digest at each level."""
    return "yousign:" + "".join(f'{{a:"{drawn(chance, HEX)}",b:' for _ in range(size)) + "1" + "}" * size


def open_brackets(size, chance):
    """Opening brackets only, with a digest in each hundredth."""
    return "yousign=" + "".join("([{" * 33 + f'"{drawn(chance, HEX)}"' for _ in range(size // 100))


def base64_of_base64(size, chance):
    """Base64 four times over, without line ends."""
    text = ("yousign_api_key: " + drawn(chance, BASE62) + "\n" + minified(chance, size // 4)).encode()
    for _ in range(4):
        text = base64.b64encode(text)
    return "yousign: " + text[:size].decode()


def escapes(size, chance):
    """Escapes of escapes of letters."""
    return "yousign " + "".join(f"%25{ord(letter):02x}" for letter in drawn(chance, BASE62, size // 5))


def quotes(size, chance):
    """String literals that are put together, a letter each."""
    return "yousign=" + "+".join(f'"{letter}"' for letter in drawn(chance, BASE62, size // 4))


COUNTS = [125_000, 250_000, 500_000, 1_000_000]
MANY = [12_500, 25_000, 50_000, 100_000]
BYTES = [6_250_000, 12_500_000, 25_000_000, 50_000_000]
SHAPES = {
    bundle: BYTES,
    tokens_in_one_line: COUNTS,
    tokens_in_lines: COUNTS,
    keys: MANY,
    keys_in_one_line: MANY,
    urls: MANY,
    links: MANY,
    braces: MANY,
    braces_with_tokens: MANY,
    open_brackets: COUNTS,
    base64_of_base64: BYTES,
    escapes: BYTES,
    quotes: BYTES,
}


def seconds(command, runs, limit):
    """The median of some runs in seconds of the processor; None if one takes longer than the limit."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(shape.__name__ for shape in SHAPES))
    parser.add_argument("--signleak", required=True, type=Path)
    parser.add_argument("--sizes", nargs=4, type=int)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120, help="seconds after which a run is ended")
    options = parser.parse_args()
    print("| shape | sizes | | | | largest | `rg -c yousign` |")
    print("|---|---|---|---|---|---|---|")
    for shape, sizes in SHAPES.items():
        if options.shapes and shape.__name__ not in options.shapes:
            continue
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file.js"
            for size in options.sizes or sizes:
                path.write_text(shape(size, random.Random(size)))
                command = [str(options.signleak.resolve()), "scan", "--no-history", "-q", str(path)]
                taken = seconds(command, options.runs, options.limit)
                cells.append(f"{size:,}: " + (f"over {options.limit:.0f} s" if taken is None else f"{taken:.2f} s"))
            megabytes = path.stat().st_size / 1e6
            counted = seconds(["rg", "-c", "yousign", str(path)], options.runs, options.limit)
        name = shape.__name__.replace("_", " ")
        print(f"| {name} | {' | '.join(cells)} | {megabytes:.0f} MB | {counted:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
