#!/usr/bin/env python3
"""Writes the seeds of the fuzzers: small git files made by git itself, and short texts.

    fuzz/seeds.py [SIGNLEAK]    # the binary adds a report of its own
"""

import contextlib
import io
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "seeds"
LINE = b"====\n"
DATE = {"GIT_AUTHOR_DATE": "1600000000 +0000", "GIT_COMMITTER_DATE": "1600000000 +0000"}
WHO = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in (("NAME", "A"), ("EMAIL", "a@example.org"))}
ENVIRONMENT = os.environ | DATE | WHO | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def seed(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def database():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sqlite"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA page_size = 512")
            database.execute("CREATE TABLE yousign (name TEXT, [value] VARCHAR(9), PRIMARY KEY (name))")
            for name in ("url", "it's", "key"):
                database.execute("INSERT INTO yousign VALUES (?, ?)", (name, "long text " * 60 if name == "url" else None))
        return path.read_bytes()


def workbook():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "<sst><si><t>yousign</t></si><si><r><t>k</t></r><r><t>ey</t></r></si></sst>")
        cells = '<c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c>'
        archive.writestr("xl/worksheets/sheet1.xml", f"<sheetData><row>{cells}</row></sheetData>")
    return content.getvalue()


def git(folder, *words, text=None):
    command = ["git", "-C", folder, *words]
    return subprocess.run(command, input=text, env=ENVIRONMENT, check=True, capture_output=True).stdout


def repository(folder, form):
    git(".", "init", "-q", "--template=", f"--object-format={form}", "-b", "main", folder)
    lines = [f"line {number}" for number in range(40)]
    for step in range(3):
        lines[step * 9] = f"yousign, changed in step {step}"
        (Path(folder) / "a.txt").write_text("\n".join(lines))
        (Path(folder) / f"{step}.txt").write_text("short\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"step {step}")
    git(folder, "tag", "-a", "v1", "-m", "tagged")


def git_files(folder, form):
    repository(folder, form)
    root = Path(folder) / ".git"
    loose = sorted(path for path in root.glob("objects/??/*"))
    for number, path in enumerate(loose[:3]):
        seed("loose_object", f"{form}-{number}", path.read_bytes())
    for name in ("HEAD", "HEAD^{tree}", "v1"):
        kind = git(folder, "cat-file", "-t", name).decode().strip()
        seed("object", f"{form}-{kind}-{len(name)}", git(folder, "cat-file", kind, name))
    seed("staged_index", f"{form}-2", (root / "index").read_bytes())
    git(folder, "update-index", "--index-version=4")
    seed("staged_index", f"{form}-4", (root / "index").read_bytes())
    git(folder, "update-index", "--split-index")
    (shared,) = root.glob("sharedindex.*")
    raw, name = (root / "index").read_bytes(), bytes.fromhex(shared.name.split(".")[1])
    known = raw.replace(name, b"\x01" * len(name))
    seed("staged_index", f"{form}-split", known + LINE + shared.read_bytes())
    names = ["HEAD", "packed-refs", "logs/HEAD", "shallow", "objects/info/alternates", "refs/heads/main", "config"]
    git(folder, "update-ref", "refs/heads/other", "HEAD")
    git(folder, "pack-refs", "--all")
    texts = [(root / name).read_bytes() if (root / name).exists() else b"" for name in names]
    texts[3] = git(folder, "rev-parse", "HEAD^")
    texts[4] = b"../other\n"
    seed("git_folder", form, LINE.join(texts))
    git(folder, "repack", "-qadf", "--depth=50")
    for version in ("1", "2"):
        (pack,) = root.glob("objects/pack/*.pack")
        index = Path(folder) / f"{version}.idx"
        git(folder, "index-pack", f"--index-version={version}", "-o", str(index), str(pack))
        seed("pack_index", f"{form}-{version}", index.read_bytes())
        if form == "sha1":
            raw = index.read_bytes()
            seed("pack_files", version, struct.pack(">H", len(raw)) + raw + pack.read_bytes())
    git(folder, "config", "repack.useDeltaBaseOffset", "false")
    git(folder, "repack", "-qadf", "--depth=50")
    (pack,), (index,) = root.glob("objects/pack/*.pack"), root.glob("objects/pack/*.idx")
    if form == "sha1":
        raw = index.read_bytes()
        seed("pack_files", "ids", struct.pack(">H", len(raw)) + raw + pack.read_bytes())


def entries():
    text = b"a text of a few words, and some more words\n"
    size = len(text)
    head = bytes([0xB0 | size & 15, size >> 4])
    seed("pack_entry", "whole", b"\x01" + head + zlib.compress(text))
    seed("pack_entry", "stored", b"\x01" + head + zlib.compress(text, 0))
    seed("pack_entry", "ids", b"\x01" + bytes([0xF0 | size & 15, size >> 4]) + b"\x05" * 20 + zlib.compress(text))
    seed("pack_entry", "offset", b"\x30" + b"." * 47 + bytes([0xE0 | size & 15, size >> 4, 9]) + zlib.compress(text))
    seed("buffer", "huge", bytes([1, 4, 5, 3, 4, 0]))
    base = b"0123456789abcdef" * 4
    steps = bytes([0x91, 3, 20]) + b"\x05words" + bytes([0x90, 9])
    seed("delta", "copies", struct.pack(">H", len(base)) + base + bytes([len(base), 34]) + steps)
    seed("pack_forest", "deltas", bytes([5, 0, 0, 40]) + b"a whole object of forty bytes, no more.." + bytes([2, 0, 2, 0, 3, 20, 1, 4, 9, 9, 9, 9, 1]) * 6)
    seed("pack_forest", "cycle", bytes([3, 4, 1, 1, 1, 3, 7, 7, 7, 1, 4, 0, 1, 1, 3, 8, 8, 8, 1]))


def texts():
    plain = b"YOUSIGN_API_KEY=your_yousign_api_key_goes_here\nhttps://api-sandbox.yousign.app/v3\n"
    seed("detect", "env", plain)
    seed("detect", "php", b"$client = new YousignClient(['api_key' => env('YOUSIGN_API_KEY')]);\n")
    seed("detect", "yaml", b"yousign:\n  api_token: !vault |\n  webhook_secret: ${SECRET}\n")
    seed("detect", "table", b"name;yousign key;id\na;xxxxxxxx;1\n\"b\",\"yousign\",\"2\"\n")
    seed("views", "percent", b"%79%6f%75%73%69%67%6e%5f key \\u0079\\x6f\\165 &#121;&#x6f; =79=6F=\n")
    seed("views", "base64", b"data: WU9VU0lHTl9BUElfS0VZPWV4YW1wbGUgdGV4dCBvbmx5Cg==\n796f757369676e206578616d706c65\n")
    seed("views", "joined", b"\"you\" +\n  \"sign\" . 'key'; [121, 111, 117]; reverse(\"ngisuoy\")\n&a yes *a >-\n folded\n lines\n")
    seed("views", "wide", b"\xff\xfe" + "yousign key".encode("utf-16-le"))
    seed("views", "database", database())
    seed("views", "workbook", workbook())
    seed("views", "office", b"<w:t>you</w:t></w:r><w:r><w:t>sign</w:t>")
    for kind in range(5):
        seed("archives", f"kind-{kind}", bytes([kind, 1, 40, 0, 200]) + plain)
    seed("round_trip", "three", bytes([3, 0, 6, 1]) + bytes(range(60)))
    seed("round_trip", "wide", bytes([2, 2, 5, 0]) + bytes(range(90)))
    seed("source_map", "two", b'{"version":3,"sources":["a.ts","b.ts"],"sourcesContent":["let key = value","b"],"names":[],"mappings":"AAAA,MCAC;ACAA"}')
    seed("links", "page", b"01234567-89ab-cdef-0123-456789abcdef?s=aa&r=bb&k=cc&sandbox=true")
    seed("links", "endpoint", b"https://hook.example:8443/revoke?token=x#y")
    rule = b'[provider]\nid = "other"\nname = "Other"\ninformation_uri = "https://other.example"\nkeywords = ["othersign"]\n'
    seed("rules", "provider", rule)
    digest = b"0" * 64
    seed("ignore_files", "own", b"# a comment\nsha256:" + digest + b' rule=yousign-* path=a/** until=2030-01-01 reason="why"\n')
    seed("ignore_files", "gitleaks", b"a/b.env:generic-api-key:3\n" + b"0" * 40 + b":a.env:rule:1\n")
    seed("ignore_files", "betterleaks", digest + b"\n")
    seed("ignore_files", "ggshield", b"secret:\n  ignored_matches:\n    - name: a\n      match: " + digest + b"\n")
    seed("ignore_files", "detect-secrets", b'{"results":{"a.env":[{"type":"x","hashed_secret":"' + b"0" * 40 + b'","line_number":1}]}}')
    seed("ignore_files", "report", b'[{"RuleID":"x","File":"a.env","StartLine":2,"Secret":"REDACTED","Commit":""}]')
    seed("ignore_files", "comment", b"// signleak:allow sha256=0123456789 until=2030-01-01 reason=\"x\"\nkey\n")
    seed("http_answer", "page", b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n{"meta":{"next_cursor":null},"data":[]}  ')
    seed("http_answer", "chunks", b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    seed("http_answer", "redirect", b"HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n")


def reports(binary):
    with tempfile.TemporaryDirectory() as folder:
        # A key that is drawn here and thrown away; the report holds its hash alone.
        key = subprocess.run(["sh", "-c", "head -c 600 /dev/urandom | base64 | tr -dc A-Za-z0-9 | head -c 30"], capture_output=True, text=True, check=True).stdout
        (Path(folder) / ".env").write_text(f"YOUSIGN_API_KEY={key}aZ\nVITE_YOUSIGN_API_KEY={key}aZ\n")
        for form in ("json", "jsonl"):
            command = [binary, "scan", ".", "--no-history", "--fail-on", "never", "-q", "--format", form]
            seed("reports", form, subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout)


def main():
    for form in ("sha1", "sha256"):
        with tempfile.TemporaryDirectory() as folder:
            git_files(folder, form)
    entries()
    texts()
    if len(sys.argv) > 1:
        reports(Path(sys.argv[1]).resolve())


if __name__ == "__main__":
    main()
