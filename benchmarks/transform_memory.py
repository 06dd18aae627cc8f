"""Peak memory and time of `fieldpost transform` over much NDJSON, beside `cat` and `jq`.

    .venv/bin/python benchmarks/transform_memory.py --gigabytes 10

The events are made in memory and piped in, so that no disk is needed; each tool reads the same
bytes from a pipe. `jq` reads a slice, and its time is scaled to the whole.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

BLOCK = 32 << 20  # bytes made once and written again and again
MAPPING = {
    "id": {"@path": "$.userId"},
    "name": {"@path": "$.properties.company"},
    "subject": {"@template": "{{event}} by {{properties.email}}"},
    "plan": {"@path": "$.context.traits.plan"},
    "items": {"@arrayPath": ["$.properties.products", {"sku": {"@path": "$.sku"}}]},
}
FILTER = 'type = "track" and properties.total > 10'
JQ = """select(.type == "track" and .properties.total > 10)
| {id: .userId, name: .properties.company, subject: "\\(.event) by \\(.properties.email)",
   plan: .context.traits.plan, items: [.properties.products[] | {sku}]}"""


def event(number: int, chance: random.Random) -> dict[str, Any]:
    """One event of about 700 bytes."""
    user = f"user-{chance.randrange(100_000)}"
    return {
        "type": chance.choice(("track", "track", "identify", "page")),
        "event": chance.choice(("Order Completed", "Account Created", "Button Clicked")),
        "messageId": f"m-{number:09}",
        "userId": user,
        "timestamp": f"2026-03-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00.000Z",
        "context": {
            "ip": f"203.0.113.{chance.randrange(256)}",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "traits": {"plan": chance.choice(("free", "team", "business")), "age": number % 90},
        },
        "properties": {
            "company": f"Nordlicht {number % 977} GmbH",
            "email": f"{user}@example.com",
            "total": chance.randrange(0, 20_000) / 100,
            "products": [
                {"sku": f"S-{chance.randrange(10_000)}", "quantity": chance.randrange(1, 9)}
                for _ in range(chance.randrange(4))
            ],
        },
    }


def block() -> bytes:
    """Whole lines, BLOCK bytes or a little more."""
    chance = random.Random(11)
    lines, size, number = [], 0, 0
    while size < BLOCK:
        lines.append(orjson.dumps(event(number, chance), option=orjson.OPT_APPEND_NEWLINE))
        size += len(lines[-1])
        number += 1
    return b"".join(lines)


def feed(command: list[str], text: bytes, blocks: int, out: Path) -> tuple[float, int, int]:
    """Run a command over the text so many times: seconds, its peak memory in kB, its exit code."""
    with out.open("wb") as sink:
        began = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink)
        assert child.stdin is not None
        for _ in range(blocks):
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(child.stdin.fileno(), rest) :]
        child.stdin.close()
        peak = 0
        while child.poll() is None:
            peak = max(peak, peak_of(child.pid))
            time.sleep(0.002)
    return time.monotonic() - began, peak, child.returncode


def peak_of(process: int) -> int:
    """Peak resident memory in kB, 0 where it has ended. (What wait4 tells counts the parent's.)"""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0


def main() -> int:
    """Print the table; 1 where more memory was needed than allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--limit-mb", type=float, default=300.0, help="peak memory allowed")
    parser.add_argument("--jq-megabytes", type=float, default=64.0, help="slice that jq reads")
    parser.add_argument("--to-file", action="store_true", help="write to a file, not /dev/null")
    asked = parser.parse_args()
    text = block()
    blocks = max(1, round(asked.gigabytes * 1e9 / len(text)))
    size = blocks * len(text)
    with tempfile.TemporaryDirectory() as folder:
        mapping = Path(folder, "mapping.json")
        mapping.write_bytes(orjson.dumps(MAPPING))
        out = Path(folder, "bodies") if asked.to_file else Path(os.devnull)
        ours = [sys.executable, "-m", "fieldpost", "transform"]
        ours += ["--mapping", str(mapping), "--filter", FILTER]
        seconds, peak, code = feed(ours, text, blocks, out)
        piped, _, _ = feed(["cat"], text, blocks, out)
        jq = 0.0
        if shutil.which("jq") and asked.jq_megabytes > 0:
            part = max(1, round(asked.jq_megabytes * 1e6 / len(text)))
            jq = feed(["jq", "-c", JQ], text, part, out)[0] * blocks / part
    print(f"{size / 1e9:.2f} GB, {text.count(10) * blocks:,} events, to {out}, exit code {code}")
    print(f"fieldpost transform  {seconds:9.1f} s  {size / 1e6 / seconds:7.0f} MB/s")
    print(f"cat                  {piped:9.1f} s  {size / 1e6 / piped:7.0f} MB/s")
    if jq:
        print(f"jq (scaled)          {jq:9.1f} s  {size / 1e6 / jq:7.0f} MB/s")
    print(f"peak resident memory {peak / 1024:9.1f} MB (allowed: {asked.limit_mb:.0f})")
    return 0 if code == 0 and peak / 1024 <= asked.limit_mb else 1


if __name__ == "__main__":
    sys.exit(main())
