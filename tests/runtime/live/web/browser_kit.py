"""A real chromium, driven over its own protocol: it opens a page, looks at it, types and clicks."""

import asyncio
import base64
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


def chromium_path() -> str | None:
    """Return where a chromium is installed; None where none is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One tab of a chromium of its own; everything that it asked the network for is in `requested`."""

    def __init__(self, chromium: str, profile: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self._process = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            found = re.search(r"DevTools listening on ws://([\d.:]+)/", line)
            if found:
                self._loop.run_until_complete(self._connect(found[1]))
                break
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")

    async def _connect(self, address: str) -> None:
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://{address}/json") as answer:
            [page] = [target for target in await answer.json() if target["type"] == "page"]
        self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)

    def close(self) -> None:
        """End the browser."""
        self._loop.run_until_complete(self._session.close())
        self._process.terminate()
        self._process.communicate(timeout=10)
        self._loop.close()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        return self._loop.run_until_complete(asyncio.wait_for(self._send(method, parameters), 20))

    async def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        if message["method"] == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        elif message["method"] == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"]["text"])
        elif message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(message["params"]["exceptionDetails"]["exception"]["description"])

    def open(self, url: str) -> None:
        """Open a page and wait until it stands."""
        self.send("Page.navigate", url=url)
        self.until(f"location.href.startsWith({url!r}) && document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """Return what an expression, or its promise, comes to in the page."""
        said = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def until(self, expression: str, seconds: float = 20.0) -> Any:
        """Wait until an expression comes to something, and return it."""
        end = time.monotonic() + seconds
        while not (found := self.value(expression)):
            assert time.monotonic() < end, f"{expression} did not come true; the page: {self.text()[:2000]}"
            self.value("new Promise((done) => setTimeout(done, 50))")
        return found

    def text(self, selector: str = "body") -> str:
        """Return the text that a part of the page shows."""
        return str(self.value(f"document.querySelector({selector!r})?.innerText ?? ''"))

    def screen(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0) -> None:
        """Set the size of the screen and its scheme of colours."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Take a picture of the page."""
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))
