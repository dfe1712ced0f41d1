"""Chromium through the real console: one tab for each test, which also remembers what the pages complained of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


class Browsing:
    """`page` is Playwright's; `complaints` are console errors, script errors and answers ≥ 500 of all pages seen."""

    def __init__(self, chromium: Browser, base_url: str) -> None:
        self.base_url = base_url
        self.context = chromium.new_context(base_url=base_url, viewport={"width": 1360, "height": 900})
        self.complaints: list[str] = []
        self.page = self._watched(self.context.new_page())

    @staticmethod
    def find_chromium() -> str | None:
        named = os.environ.get("CHROMIUM")
        return named or shutil.which("chromium") or shutil.which("chromium-browser")

    @staticmethod
    @contextmanager
    def launched(path: str) -> Iterator[Browser]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            yield browser
            browser.close()

    def log_in(self, user) -> Page:
        """Opens the tab's session as this member of staff without the form; the form has a test of its own."""
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.base_url}])
        return self.page

    def log_out(self) -> None:
        self.context.clear_cookies()

    def close(self) -> None:
        self.context.close()

    def _watched(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on(
            "response",
            lambda answer: self.complaints.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None,
        )
        return page
