#!/usr/bin/env python3
"""Plants a line into copies of real files, at a random place of each, and counts what signleak makes of it.

    benches/planted.py --signleak target/release/signleak [--seed 1] [--count 5000] leak|mention|reference FOLDER...

leak: a line with a new random key, which must be found, under the right rule, and alone.
mention, reference: a line that speaks of the provider, or of a variable for its key: nothing must be found, even at low confidence.
"""

import argparse
import hashlib
import json
import os
import random
import string
import subprocess
import tempfile
from pathlib import Path

CODE = ['YOUSIGN_API_KEY = "{}";']
SCRIPT = [
    'const yousignApiKey = "{}";',
    'const client = new YousignClient({{ apiKey: "{}", env: "sandbox" }});',
    'fetch("https://api.yousign.app/v3/documents", {{ headers: {{ Authorization: "Bearer {}" }} }});',
]
PYTHON = [
    'YOUSIGN_API_KEY = "{}"',
    'requests.get("https://api-sandbox.yousign.app/v3/users", headers={{"Authorization": "Bearer {}"}})',
    'client = Yousign(api_key="{}")',
]
PHP = ["$yousignKey = '{}';", "define('YOUSIGN_API_KEY', '{}');", "'yousign' => ['api_key' => '{}'],"]
PAGE = ['curl https://api.yousign.app/v3/signature_requests -H "Authorization: Bearer {}"']
SETTING = ['YOUSIGN_API_KEY="{}"']
LEAKS = {
    **dict.fromkeys([".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx", ".vue", ".dart"], SCRIPT),
    **dict.fromkeys([".rs", ".go", ".java", ".c", ".h", ".cpp", ".kt", ".swift", ".cs"], CODE),
    **dict.fromkeys([".md", ".txt", ".rst", ".html", ".htm"], PAGE),
    **dict.fromkeys([".sh", ".env", ".conf", ".cfg", ".ini", ".toml", ".properties", ".rb"], SETTING),
    **dict.fromkeys([".yml", ".yaml"], ["yousign_api_key: {}"]),
    **dict.fromkeys([".json", ".map"], ['"yousignApiKey": "{}",']),
    ".py": PYTHON,
    ".php": PHP,
}
MENTIONS = [
    "see https://api.yousign.app/v3/signature_requests",
    "Yousign integration",
    "https://developers.yousign.com/docs",
    "the Yousign webhook calls this",
    "TODO: migrate from yousign to youtrust",
]
REFERENCES = {
    ".py": ['YOUSIGN_API_KEY = os.environ["YOUSIGN_API_KEY"]', 'Yousign(api_key=settings.YOUSIGN_KEY, base_url="https://api.yousign.app/v3")'],
    ".yml": ["yousign_api_key: ${YOUSIGN_API_KEY}"],
    ".yaml": ['yousign: { api_key: "%env(YOUSIGN_API_KEY)%" }'],
    ".json": ['"yousign": {"baseUrl": "https://api.yousign.app/v3", "apiKey": null},'],
    ".md": ["Set `YOUSIGN_API_KEY` to your key and `YOUSIGN_WEBHOOK_SECRET` to the webhook secret."],
    ".php": ["$key = getenv('YOUSIGN_API_KEY');", "'yousign' => ['api_key' => env('YOUSIGN_API_KEY')],"],
    ".sh": ['export YOUSIGN_API_KEY="$1"'],
    ".rs": ['let yousign_api_key = std::env::var("YOUSIGN_API_KEY")?;'],
}
ANY_REFERENCE = ["const yousignApiKey = process.env.YOUSIGN_API_KEY;", "yousign_api_key=", "x-yousign-signature: sha256="]
COMMENTS = {
    **dict.fromkeys([".py", ".sh", ".rb", ".yml", ".yaml", ".toml", ".conf", ".cfg", ".ini", ".pl"], "# {}"),
    **dict.fromkeys([".html", ".htm", ".xml", ".svg", ".md", ".vue"], "<!-- {} -->"),
    **dict.fromkeys([".css", ".scss", ".less"], "/* {} */"),
    **dict.fromkeys([".json", ".map", ".txt", ".rst", ".po", ".csv"], "{}"),
}


def files(folders):
    """Files of a fair size, by the ending of their name."""
    found = {}
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in sorted(names):
                path = Path(root, name)
                if path.is_file() and not path.is_symlink() and 200 < path.stat().st_size < 400_000:
                    found.setdefault(path.suffix.lower(), []).append(path)
    return found


def line(kind, suffix, draw):
    """What is planted, and the key in it."""
    if kind == "mention":
        return COMMENTS.get(suffix, "// {}").format(draw.choice(MENTIONS)), None
    if kind == "reference":
        return draw.choice(REFERENCES.get(suffix, ANY_REFERENCE)), None
    key = "".join(draw.choices(string.ascii_letters + string.digits, k=32))
    return draw.choice(LEAKS.get(suffix, ["yousign api key: {}"])).format(key), key


def plant(text, planted, draw):
    """The text with one more line; in a text of one line it stands behind a semicolon."""
    lines = text.split(b"\n")
    if len(lines) <= 2 and len(text) > 2000 and (at := text.find(b";", draw.randrange(len(text)))) > 0:
        return text[: at + 1] + planted + text[at + 1 :]
    at = draw.randrange(len(lines) + 1)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())] if at < len(lines) else b""
    lines.insert(at, indent + planted)
    return b"\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["leak", "mention", "reference"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--signleak", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    by_suffix = files(options.folders)
    every = [path for paths in by_suffix.values() for path in paths]
    suffixes = [suffix for suffix, paths in by_suffix.items() if len(paths) >= 5]
    with tempfile.TemporaryDirectory() as scratch:
        keys, origins = {}, {}
        for number in range(options.count):
            # Half of the files by ending, so that rare kinds come in, too.
            origin = draw.choice(by_suffix[draw.choice(suffixes)] if draw.random() < 0.5 else every)
            text = origin.read_bytes()
            planted, key = line(options.kind, origin.suffix.lower(), draw)
            if b"\0" in text[:2000]:
                continue
            name = f"{number:05}/{origin.name}"
            Path(scratch, name).parent.mkdir()
            Path(scratch, name).write_bytes(plant(text, planted.encode(), draw))
            keys[name], origins[name] = key and hashlib.sha256(key.encode()).hexdigest(), origin
        command = [options.signleak.resolve(), "scan", ".", "--no-history", "--no-repo-config", "--ignored", "-q", "--format", "json", "--fail-on", "never"]
        if options.kind != "leak":
            command += ["--min-confidence", "low"]
        ran = subprocess.run(command, cwd=scratch, stdout=subprocess.PIPE)
        if ran.returncode not in (0, 3):  # 3: something, such as an archive, cannot be read
            raise SystemExit(f"signleak ended with {ran.returncode}")
        report = json.loads(ran.stdout)
    found, others = set(), []
    for finding in report["findings"]:
        for place in finding["occurrences"]:
            name = place["path"].split("!/")[0]
            if finding["kind"] == "policy":
                continue
            if keys.get(name) == finding["secret"]["sha256"] and finding["rule_id"] == "yousign-api-key":
                found.add(name)
            else:
                others.append(f"{origins[name]} (line {place['line']} with the planted one): {finding['rule_id']}, {finding['confidence']} confidence")
    sought = [name for name, key in keys.items() if key]
    print(f"{len(keys)} files, {len(found)} of {len(sought)} planted keys found, {len(others)} other findings")
    for name in sought:
        if name not in found:
            print(f"missed: {origins[name]}")
    print(*others, sep="\n")


if __name__ == "__main__":
    main()
