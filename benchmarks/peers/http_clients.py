"""The same POST through Python's HTTP clients.

    http_clients.py NAME URL BODY_FILE IN_FLIGHT REQUESTS

Prints requests per second; exit code 1 where an answer was not 2xx.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

HEADERS = {"Content-Type": "application/json"}


def pycurl_multi(url: str, body: bytes, in_flight: int, requests: int) -> None:
    """Pycurl's own multi interface, handles reused."""
    import pycurl

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, in_flight)
    handles = []
    for _ in range(in_flight):
        easy = pycurl.Curl()
        easy.setopt(pycurl.URL, url)
        easy.setopt(pycurl.POSTFIELDS, body)
        easy.setopt(pycurl.HTTPHEADER, [f"{k}: {v}" for k, v in HEADERS.items()] + ["Expect:"])
        easy.setopt(pycurl.WRITEFUNCTION, lambda _: None)
        easy.setopt(pycurl.TCP_NODELAY, 1)
        multi.add_handle(easy)
        handles.append(easy)
    started, done = in_flight, 0
    while done < requests:
        multi.perform()
        left = 1
        while left:
            left, good, bad = multi.info_read()
            if bad:
                raise RuntimeError(bad)
            for easy in good:
                if easy.getinfo(pycurl.RESPONSE_CODE) // 100 != 2:
                    raise RuntimeError("refused")
                done += 1
                multi.remove_handle(easy)
                if started < requests:
                    started += 1
                    multi.add_handle(easy)
        if done < requests:
            multi.select(0.1)


def aiohttp_session(url: str, body: bytes, in_flight: int, requests: int) -> None:
    """One aiohttp session, so many tasks."""
    import aiohttp

    async def all_of_them() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as http:

            async def some() -> None:
                for _ in range(requests // in_flight):
                    async with http.post(url, data=body, headers=HEADERS) as answer:
                        answer.raise_for_status()
                        await answer.read()

            await asyncio.gather(*(some() for _ in range(in_flight)))

    asyncio.run(all_of_them())


def httpx_client(url: str, body: bytes, in_flight: int, requests: int) -> None:
    """One httpx client, so many tasks."""
    import httpx

    async def all_of_them() -> None:
        limits = httpx.Limits(max_connections=in_flight)
        async with httpx.AsyncClient(limits=limits) as http:

            async def some() -> None:
                for _ in range(requests // in_flight):
                    answer = await http.post(url, content=body, headers=HEADERS)
                    answer.raise_for_status()

            await asyncio.gather(*(some() for _ in range(in_flight)))

    asyncio.run(all_of_them())


CLIENTS: dict[str, Callable[[str, bytes, int, int], None]] = {
    "pycurl": pycurl_multi,
    "aiohttp": aiohttp_session,
    "httpx": httpx_client,
}

if __name__ == "__main__":
    name, url, file, in_flight, requests = sys.argv[1:]
    body = Path(file).read_bytes()
    began = time.perf_counter()
    CLIENTS[name](url, body, int(in_flight), int(requests))
    print(f"{int(requests) / (time.perf_counter() - began):.0f}")
