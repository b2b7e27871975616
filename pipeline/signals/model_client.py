"""One question to a language model behind an OpenAI-compatible endpoint: bounded in time and size, only to vetted addresses.

What belongs here: the HTTP of it. What does not: what is asked and what of the answer is believed (model_backed).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from pipeline.documents import connect
from pipeline.documents.connect import AddressRefused, Guard, GuardedAdapter, NameNotFound
from pipeline.net.addresses import Network

LONGEST_ANSWER_BYTES = 256_000
MOST_ANSWER_TOKENS = 1_200


@dataclass(frozen=True, slots=True)
class Answer:
    """The model's words, what they took and (where the endpoint counts) how many tokens."""

    text: str
    seconds: float
    prompt_tokens: int
    completion_tokens: int


class ModelFailed(RuntimeError):
    """No answer. ``reason``: address_refused, name_not_found, connect, timeout, too_large, http_…, redirect, not_json or
    no_answer."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class ChatClient:
    """Asks ``url`` (…/v1 or the whole path of chat/completions). The key goes to that host alone: no redirect is followed."""

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 20.0,
        allowed_networks: Sequence[Network] = (),
        ca_file: Path | None = None,
        resolve: connect.Resolve = connect.resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        bare = url.rstrip("/")
        self.url = bare if bare.endswith("/chat/completions") else f"{bare}/chat/completions"
        self.model = model
        self._api_key = api_key
        self._timeout = timeout_seconds
        self._allowed = tuple(allowed_networks)
        self._ca_file = ca_file
        self._resolve = resolve
        self._clock = clock

    def ask(self, system: str, question: str) -> Answer:
        """The answer to ``question``. Raises ModelFailed."""
        began = self._clock()
        guard = Guard(self._allowed, self._resolve)
        timer = threading.Timer(self._timeout, guard.cut)
        timer.daemon = True
        timer.start()
        try:
            body = self._post(guard, system, question)
        except ModelFailed:
            raise
        except AddressRefused as error:
            raise ModelFailed("address_refused", str(error)) from None
        except NameNotFound as error:
            raise ModelFailed("name_not_found", str(error)) from None
        except (requests.RequestException, OSError) as error:
            reason = "timeout" if guard.is_cut or isinstance(error, requests.Timeout) else "connect"
            raise ModelFailed(reason, f"{self.url}: {error}") from None
        finally:
            timer.cancel()
        if guard.is_cut:
            raise ModelFailed("timeout", f"no complete answer within {self._timeout:g} s")
        return _answer(body, self._clock() - began)

    def _post(self, guard: Guard, system: str, question: str) -> bytes:
        payload = {
            "model": self.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
            "temperature": 0,
            "max_tokens": MOST_ANSWER_TOKENS,
            "response_format": {"type": "json_object"},
        }
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        with requests.Session() as session:
            # Proxies and credentials of the environment would go round the vetting.
            session.trust_env = False
            adapter = GuardedAdapter(guard, connect.tls_context(self._ca_file))
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            response = session.post(
                self.url, json=payload, headers=headers, timeout=self._timeout, stream=True, allow_redirects=False
            )  # fmt: skip
            with response:
                if response.is_redirect or 300 <= response.status_code < 400:
                    raise ModelFailed("redirect", f"to {response.headers.get('Location')}")
                if response.status_code != 200:
                    raise ModelFailed(f"http_{response.status_code}", self.url)
                body = b""
                for chunk in response.iter_content(16_384):
                    body += chunk
                    if len(body) > LONGEST_ANSWER_BYTES:
                        raise ModelFailed("too_large", f"more than {LONGEST_ANSWER_BYTES:,} bytes")
                return body


def _answer(body: bytes, seconds: float) -> Answer:
    try:
        parsed: Any = json.loads(body)
        text = parsed["choices"][0]["message"]["content"]
    except (ValueError, RecursionError) as error:
        raise ModelFailed("not_json", str(error)) from None
    except (KeyError, IndexError, TypeError):
        raise ModelFailed("no_answer", "the answer has no choices[0].message.content") from None
    if not isinstance(text, str):
        raise ModelFailed("no_answer", "the content is no text")
    usage = parsed.get("usage") if isinstance(parsed.get("usage"), dict) else {}
    return Answer(text, seconds, _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000_000 else 0
