"""Making tokens and secrets, and keeping secrets unreadable at rest.

What belongs here: the forms of tokens and secrets (FS-3, FSV-12), hashing, encryption, the key file. What does not:
rows and who may see what (organizations.keys).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import string
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from pipeline.settings import Settings

log = logging.getLogger(__name__)

TOKEN_PREFIX = "fs_live_"  # noqa: S105 - a form, not a secret
SECRET_PREFIX = "fs_whsec_"  # noqa: S105 - a form, not a secret
OPERATOR_PREFIX = "fs_op_"
RANDOM_CHARACTERS = 32
SHOWN_PREFIX_LENGTH = 12
_BASE_62 = string.ascii_letters + string.digits
KEY_FILE = "secret.key"


class SecretUnreadable(RuntimeError):
    """A stored secret that none of the keys at hand opens."""


def random_token(prefix: str, rng: Random | None = None) -> str:
    """``prefix`` and 32 base-62 characters (190 bits)."""
    source = rng or secrets.SystemRandom()
    return prefix + "".join(source.choice(_BASE_62) for _ in range(RANDOM_CHARACTERS))


def new_token(rng: Random | None = None) -> str:
    """An API token: ``fs_live_`` and 32 base-62 characters (190 bits)."""
    return random_token(TOKEN_PREFIX, rng)


def new_operator_token(rng: Random | None = None) -> str:
    """An operator's token: ``fs_op_`` and 32 base-62 characters (190 bits)."""
    return random_token(OPERATOR_PREFIX, rng)


def new_webhook_secret(rng: Random | None = None) -> str:
    """A webhook signing secret: ``fs_whsec_`` and 32 characters of base64url.

    Only letters and digits are drawn (190 bits): they mean the same in both base64 alphabets, so the secret without its
    ``fs_`` is at once a valid secret for the Standard Webhooks libraries.
    """
    return random_token(SECRET_PREFIX, rng)


def token_sha256(token: str) -> str:
    """What is kept of a token. Unsalted: 190 random bits can't be guessed, and the row must be found by it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class BadSecretKey(ValueError):
    """A key for secrets at rest can't be used. Never shows it."""


class SecretBox:
    """Encrypts what must come back in clear: webhook secrets. Fernet (AES-128-CBC with HMAC-SHA256), keys can be rolled."""

    def __init__(self, keys: list[str]) -> None:
        """``keys``: Fernet keys, newest first; the first encrypts, all decrypt. Raises BadSecretKey for a malformed one."""
        if not keys:
            raise BadSecretKey(
                "no key for webhook secrets at rest: set FUNDINGSCOUT_SECRET_KEY or unset it to use the key file"
            )
        self._hash_key = hashlib.sha256(f"keyed hashes\n{keys[0]}".encode()).digest()
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            # The library's own message may show the key.
            raise BadSecretKey(
                "a key for webhook secrets at rest is not 32 bytes of base64url (Fernet): see FUNDINGSCOUT_SECRET_KEY, or HOME/"
                f"{KEY_FILE} where that is unset; put the one back that the secrets were made with"
            ) from None

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """With the keys of ``settings.secret_key``, else of HOME/secret.key, which is made (mode 0600) if absent."""
        text = settings.secret_key.get_secret_value() if settings.secret_key else _key_file(settings.home / KEY_FILE)
        return cls([key.strip() for key in text.replace("\n", ",").split(",") if key.strip()])

    def encrypt(self, secret: str) -> bytes:
        """``secret``, unreadable without the key."""
        return self._fernet.encrypt(secret.encode())

    def decrypt(self, encrypted: bytes) -> str:
        """The secret again. Raises SecretUnreadable."""
        try:
            return self._fernet.decrypt(bytes(encrypted)).decode()
        except InvalidToken:
            raise SecretUnreadable(
                "a stored webhook secret can't be opened: it was encrypted with a key that is neither in "
                f"FUNDINGSCOUT_SECRET_KEY nor in {KEY_FILE}. Put that key back, or rotate the secret."
            ) from None

    def keyed_hash(self, purpose: str, text: str) -> str:
        """HMAC-SHA256 of ``text`` in hexadecimal, another for each ``purpose``; rolling the key makes all anew."""
        return hmac.new(self._hash_key, f"{purpose}\n{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _key_file(path: Path) -> str:
    """The text of the key file. Made whole or not at all, and by one process only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was first: then its key is ours too
                os.link(draft, path)
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        log.warning("%s can be read by other users of this machine; run: chmod 600 %s", path, path)
    return path.read_text()
